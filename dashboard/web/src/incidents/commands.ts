import { inject, shallowReactive, type InjectionKey } from 'vue'
import { ApiError, newKey, type Action, type Client } from '../api/client'
import type { Disposition, Incident } from '../api/types'
import type { Watch } from '../store/watch'

/** A command on its way, or the reason why it failed. */
export interface Attempt {
  action: Action
  text: string
  disposition: Disposition | ''
  version?: number
  key: string
  pending: boolean
  /** Unanswered for 5 s: the operator should not wait for the screen. */
  slow: boolean
  error: ApiError | null
}

export interface Wish {
  action: Action
  text?: string
  disposition?: Disposition | ''
  version?: number
}

const slowAfter = 5_000
const unconditional = new Set<Action>(['acknowledge', 'note'])

/** Runs the operators' commands, at most one per incident, and keeps the failed one for another try with the same key. */
export function createCommands(client: Client, watch: Watch) {
  const attempts = shallowReactive(new Map<string, Attempt>())

  /** true = done. A second wish for an incident whose first is on its way is refused. */
  async function run(id: string, wish: Wish): Promise<boolean> {
    if (attempts.get(id)?.pending) return false
    const version = unconditional.has(wish.action) ? undefined : wish.version ?? watch.incident(id)?.version
    return send(id, {
      action: wish.action, text: wish.text ?? '', disposition: wish.disposition ?? '',
      version, key: newKey(), pending: true, slow: false, error: null,
    })
  }

  async function retry(id: string): Promise<boolean> {
    const last = attempts.get(id)
    if (!last || last.pending) return false
    return send(id, { ...last, pending: true, slow: false, error: null })
  }

  async function send(id: string, attempt: Attempt): Promise<boolean> {
    attempts.set(id, attempt)
    const timer = setTimeout(() => attempts.set(id, { ...attempt, slow: true }), slowAfter)
    try {
      watch.overlay(await client.command(id, attempt))
      attempts.delete(id)
      return true
    } catch (error) {
      fail(id, attempt, error)
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  function fail(id: string, attempt: Attempt, error: unknown): void {
    const known = error instanceof ApiError ? error : new ApiError({ status: 0, code: 'internal', detail: String(error) })
    if (known.problem.current) watch.overlay(known.problem.current)
    attempts.set(id, { ...attempt, pending: false, slow: false, error: known })
  }

  return {
    run,
    retry,
    attempt: (id: string) => attempts.get(id),
    dismiss: (id: string) => void attempts.delete(id),
  }
}

export type Commands = ReturnType<typeof createCommands>
export const commandsKey: InjectionKey<Commands> = Symbol('commands')

export function useCommands(): Commands {
  const commands = inject(commandsKey)
  if (!commands) throw new Error('useCommands outside of the app')
  return commands
}

/** Who holds an incident now, for the answer to a lost race. */
export function holder(incident: Incident): string {
  return incident.resolved_by ?? incident.acknowledged_by ?? ''
}
