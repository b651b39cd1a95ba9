import { onActivated, onBeforeUnmount, onMounted, shallowRef, type Ref } from 'vue'
import { useClient } from '../console'
import { parts } from '../screens'
import type { MapAdapter } from './adapter'

/** none: this hub has no basemap; failed: it should have one. */
export type BasemapState = 'loading' | 'none' | 'shown' | 'failed'

/** The map engine in `host`, loaded when a map is looked at for the first time. `ready` draws on it. */
export function useMap(host: Ref<HTMLElement | null>, press: (id: string) => void, ready: (map: MapAdapter) => void) {
  const client = useClient()
  const adapter = shallowRef<MapAdapter | null>(null)
  const basemap = shallowRef<BasemapState>('loading')
  const attribution = shallowRef('')
  /** The engine itself could not be fetched. */
  const broken = shallowRef(false)
  let resize: ResizeObserver | null = null
  let gone = false

  async function start(): Promise<void> {
    const { createMap } = await parts.mapEngine().catch(() => ({ createMap: null }))
    broken.value = createMap === null
    if (!createMap) return
    if (gone || !host.value) return
    const map = createMap(host.value, {
      press,
      tiles: (ok, whose) => {
        basemap.value = ok ? 'shown' : 'failed'
        attribution.value = whose
      },
    })
    adapter.value = map
    resize = new ResizeObserver(() => map.resize())
    resize.observe(host.value)
    ready(map)
    await loadBasemap()
  }

  async function loadBasemap(): Promise<void> {
    basemap.value = 'loading'
    try {
      const found = await client.basemap()
      if (!found.url) basemap.value = 'none'
      adapter.value?.setBasemap(found)
    } catch {
      basemap.value = 'failed'
    }
  }

  onMounted(() => void start())
  onActivated(() => adapter.value?.resize())
  onBeforeUnmount(() => {
    gone = true
    resize?.disconnect()
    adapter.value?.destroy()
  })

  return { adapter, basemap, attribution, broken, start, loadBasemap }
}
