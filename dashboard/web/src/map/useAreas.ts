import { computed, shallowRef } from 'vue'
import type { ApiError } from '../api/client'
import { useCatalog } from '../store/catalog'

/** The committees' borders, asked for unless they are known. */
export function useAreas() {
  const { borders, loadBorders } = useCatalog()
  const error = shallowRef<ApiError | null>(null)

  async function load(): Promise<void> {
    try {
      if (!borders.value) await loadBorders()
      error.value = null
    } catch (failure) {
      error.value = failure as ApiError
    }
  }

  return { areas: computed(() => borders.value ?? []), error, load }
}
