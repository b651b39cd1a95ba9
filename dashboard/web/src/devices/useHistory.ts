import { onBeforeUnmount, shallowRef, watch as observe } from 'vue'
import type { ApiError } from '../api/client'
import type { Series } from '../api/types'
import { useClient } from '../console'
import { useWatch } from '../store/watch'
import { spanOf, type Look } from './series'

const refreshEvery = 60_000
/** A history that could not be read is asked for again sooner: it may only be starting. */
const retryEvery = 10_000
/** The metrics of a device are asked for so many at a time. */
const atOnce = 3

export interface HistoryRequest {
  device: string
  metrics: readonly string[]
  look: Look
}

/** The history of several metrics; a look that ends now is read again each minute while the page is seen. */
export function useHistory(request: () => HistoryRequest) {
  const client = useClient()
  const watch = useWatch()
  const series = shallowRef<ReadonlyMap<string, Series>>(new Map())
  const error = shallowRef<ApiError | null>(null)
  let run = 0
  let asked = 0

  async function load(): Promise<void> {
    const mine = ++run
    const { device, metrics, look } = request()
    const span = spanOf(look, Math.floor(watch.serverNow() || Date.now()))
    const queue = [...metrics]
    let failed: ApiError | null = null
    asked = Date.now()

    async function work(): Promise<void> {
      for (let metric = queue.shift(); metric && !failed && mine === run; metric = queue.shift()) {
        try {
          const found = await client.series(device, { metric, ...span, every: 0 })
          if (mine === run) series.value = new Map(series.value).set(metric, found)
        } catch (failure) {
          failed = failure as ApiError
        }
      }
    }

    await Promise.all(Array.from({ length: atOnce }, work))
    if (mine === run) error.value = failed
  }

  const timer = setInterval(() => {
    const moving = typeof request().look === 'string'
    if (document.hidden || (error.value ? false : !moving || Date.now() - asked < refreshEvery)) return
    void load()
  }, retryEvery)
  onBeforeUnmount(() => {
    run++
    clearInterval(timer)
  })
  observe(request, (next, before) => {
    if (before && same(next, before)) return
    if (next.device !== before?.device) series.value = new Map()
    void load()
  }, { immediate: true })

  return { series, error, load }
}

function same(a: HistoryRequest, b: HistoryRequest): boolean {
  return a.device === b.device && a.look === b.look && a.metrics.join() === b.metrics.join()
}
