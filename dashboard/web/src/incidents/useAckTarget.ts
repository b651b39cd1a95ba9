import { computed, watch as observe } from 'vue'
import type { Incident } from '../api/types'

/** Time that an eye needs to see that the key now means another incident. */
const settle = 300

/**
 * The incident that F2 acknowledges: emergencies before all else, among equals the selected one, else the oldest. Just after somebody else took the target away, a press aimed at it is swallowed instead of hitting the next.
 */
export function useAckTarget(unacked: () => Incident[], selected: () => string | null) {
  const target = computed(() => {
    const life = unacked().filter((incident) => incident.priority === 1)
    const pool = life.length > 0 ? life : unacked()
    return pool.find((incident) => incident.id === selected()) ?? pool[0]
  })
  const id = computed(() => target.value?.id ?? null)
  let takenAt = -Infinity
  let pressed: string | null = null

  observe(id, (next, before) => {
    const gone = before !== null && !unacked().some((incident) => incident.id === before)
    if (gone && next !== null && before !== pressed) takenAt = performance.now()
  }, { flush: 'sync' })

  return {
    id,
    confirmed(): Incident | undefined {
      if (performance.now() - takenAt < settle) return undefined
      pressed = id.value
      return target.value
    },
  }
}
