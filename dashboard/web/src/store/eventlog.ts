import type { Transition } from '../api/types'

export const logLength = 50

/** Merges transitions into the list of the last 50, newest first, each number once. */
export function mergeLog(log: readonly Transition[], events: readonly Transition[]): Transition[] {
  const bySeq = new Map<number, Transition>()
  for (const event of [...log, ...events]) bySeq.set(event.seq, event)
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, logLength)
}
