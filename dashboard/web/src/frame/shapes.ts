import type { Priority } from '../api/types'

/** The outline of each priority, in a box of 24. */
export const shapes: Record<Priority, string> = {
  1: 'M2 2h20v20H2z',
  2: 'M12 1.5 23 22H1z',
  3: 'M12 1 23 12 12 23 1 12z',
  4: 'M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21z',
}

/** Where the digit stands in it. */
export function baselineOf(priority: Priority): number {
  return priority === 2 ? 19.5 : 16.7
}
