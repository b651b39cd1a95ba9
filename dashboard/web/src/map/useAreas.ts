import { shallowRef } from 'vue'
import type { ApiError } from '../api/client'
import type { AreaFeature } from '../api/types'
import { useClient } from '../console'

/** The committees' borders; they hardly ever change, so one answer lasts. */
export function useAreas() {
  const client = useClient()
  const areas = shallowRef<readonly AreaFeature[]>([])
  const error = shallowRef<ApiError | null>(null)

  async function load(): Promise<void> {
    try {
      areas.value = await client.areaMap()
      error.value = null
    } catch (failure) {
      error.value = failure as ApiError
    }
  }

  return { areas, error, load }
}
