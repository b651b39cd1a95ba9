import { computed, shallowRef, watch as observe } from 'vue'
import type { Incident } from '../api/types'
import { useClient } from '../console'
import { useWatch } from '../store/watch'

/** Incidents of a device, newest first: those of the stream and those that the hub still lists. */
export function useDeviceIncidents(device: () => string) {
  const client = useClient()
  const watch = useWatch()
  const listed = shallowRef<readonly Incident[]>([])

  observe(device, async (id) => {
    listed.value = []
    const found = await client.incidents({ state: 'all', device: id, limit: 100 }).catch(() => [])
    if (id === device()) listed.value = found
  }, { immediate: true })

  return computed(() => {
    const known = new Map(listed.value.map((incident) => [incident.id, incident]))
    for (const incident of Object.values(watch.view.value.rows).flat()) if (incident.device === device()) known.set(incident.id, incident)
    return [...known.values()].sort((a, b) => b.raised_at - a.raised_at)
  })
}
