import { onBeforeUnmount, shallowRef, watch as observe } from 'vue'
import type { ApiError } from '../api/client'
import type { Series } from '../api/types'
import { useClient } from '../console'
import { useWatch } from '../store/watch'
import { ranges, type RangeName } from './series'

const refreshEvery = 60_000
/** A history that could not be read is asked for again sooner: it may only be starting. */
const retryEvery = 10_000

export interface SeriesRequest {
  device: string
  metric: string
  range: RangeName
}

/** The history of one metric up to now, read again each minute while it is looked at. */
export function useSeries(request: () => SeriesRequest) {
  const client = useClient()
  const watch = useWatch()
  const series = shallowRef<Series | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const loading = shallowRef(false)

  async function load(): Promise<void> {
    const wanted = request()
    if (!wanted.metric) return
    loading.value = true
    const to = Math.floor(watch.serverNow() || Date.now())
    try {
      const found = await client.series(wanted.device, { metric: wanted.metric, from: to - ranges[wanted.range], to, every: 0 })
      if (!same(wanted, request())) return
      series.value = found
      error.value = null
    } catch (failure) {
      if (same(wanted, request())) error.value = failure as ApiError
    } finally {
      if (same(wanted, request())) loading.value = false
    }
  }

  let asked = Date.now()
  const timer = setInterval(() => {
    if (document.hidden || (!error.value && Date.now() - asked < refreshEvery)) return
    asked = Date.now()
    void load()
  }, retryEvery)
  onBeforeUnmount(() => clearInterval(timer))
  observe(request, (next, before) => {
    if (before && same(next, before)) return
    series.value = null
    error.value = null
    void load()
  }, { immediate: true })

  return { series, error, loading, load }
}

function same(a: SeriesRequest, b: SeriesRequest): boolean {
  return a.device === b.device && a.metric === b.metric && a.range === b.range
}
