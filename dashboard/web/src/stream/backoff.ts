const steps = [250, 500, 1000, 2000, 4000, 5000]

/**
 * Milliseconds to wait before reconnection number `attempt` (0 = the first), spread by half of the step to either side
 * so that consoles cut off together do not come back together.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const step = steps[Math.min(attempt, steps.length - 1)]!
  return Math.round(step * (0.5 + random()))
}
