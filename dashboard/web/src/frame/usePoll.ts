import { onBeforeUnmount, shallowRef } from 'vue'
import type { ApiError } from '../api/client'

/** Asks at once and then every `every` ms while the page is seen; after a failure the last answer stays, with the error beside it. */
export function usePoll<T>(ask: () => Promise<T>, every: number) {
  const found = shallowRef<T | null>(null)
  const error = shallowRef<ApiError | null>(null)
  let asked = 0

  async function load(): Promise<void> {
    asked = Date.now()
    try {
      found.value = await ask()
      error.value = null
    } catch (failure) {
      error.value = failure as ApiError
    }
  }

  function look(): void {
    if (!document.hidden && Date.now() - asked >= every) void load()
  }

  void load()
  const timer = setInterval(look, 1_000)
  document.addEventListener('visibilitychange', look)
  onBeforeUnmount(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
  })

  return { found, error, load }
}
