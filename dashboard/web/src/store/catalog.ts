import { computed, inject, shallowRef, type InjectionKey } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Client } from '../api/client'
import type { Catalog, Words } from '../api/types'
import { rounded, unitOf } from '../frame/format'

const storageKey = 'wh.catalog'

/** What the hub knows of kinds, metrics and models. The last answer stays in this browser: names are there at once. */
export function createCatalog(client: Pick<Client, 'catalog'>) {
  const catalog = shallowRef<Catalog>(stored())

  async function load(): Promise<void> {
    const found = await client.catalog().catch(() => null)
    if (!found) return
    catalog.value = found
    localStorage.setItem(storageKey, JSON.stringify(found))
  }

  return { catalog, load }
}

function stored(): Catalog {
  const none: Catalog = { events: [], kinds: [], metrics: [], models: [] }
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Catalog>) }
  } catch {
    return none
  }
}

export type CatalogStore = ReturnType<typeof createCatalog>
export const catalogKey: InjectionKey<CatalogStore> = Symbol('catalog')

/** Names and units in the reader's language; what the catalog does not name is shown as it came. */
export function useCatalog() {
  const store = inject(catalogKey)
  if (!store) throw new Error('useCatalog outside of the app')
  const { locale } = useI18n()
  const kinds = computed(() => new Map(store.catalog.value.kinds.map((kind) => [kind.id, kind])))
  const metrics = computed(() => new Map(store.catalog.value.metrics.map((metric) => [metric.name, metric])))

  const say = (words: Words): string => (locale.value === 'en' && words.en) || words.zh
  const unit = (name: string): string => metrics.value.get(name)?.unit ?? unitOf(name)

  return {
    catalog: store.catalog,
    say,
    unit,
    kindName(id: string): string {
      const kind = kinds.value.get(id)
      return (kind && say(kind.title)) || id
    },
    metricName(name: string): string {
      const metric = metrics.value.get(name)
      return (metric && say(metric)) || name
    },
    reading: (name: string, value: number | undefined): string => rounded(value, unit(name)),
    /** The names in the order of the kind; what it does not list comes after, by name. */
    inOrder(kind: string, names: Iterable<string>): string[] {
      const order = kinds.value.get(kind)?.metrics ?? []
      const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
      return [...new Set(names)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    },
  }
}
