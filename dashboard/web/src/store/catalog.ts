import { computed, inject, shallowRef, type InjectionKey } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Client } from '../api/client'
import type { AreaFeature, Catalog, Rule, Words } from '../api/types'
import { rounded, unitOf } from '../frame/format'

const catalogName = 'wh.catalog'
const rulesName = 'wh.rules'

/** A bridge measures nothing, so the hub's catalog does not list it; its account is among the devices all the same. */
const unlisted: Readonly<Record<string, { zh: string; en: string }>> = { bridge: { zh: '网桥', en: 'Bridge' } }

/** What the hub knows of kinds, metrics, models and rules. The last answer stays in this browser: names are there at once. */
export function createCatalog(client: Pick<Client, 'catalog' | 'rules' | 'areaMap'>) {
  const catalog = shallowRef<Catalog>(stored(catalogName, { events: [], kinds: [], metrics: [], models: [] }))
  const rules = shallowRef<readonly Rule[]>(stored(rulesName, { items: [] as Rule[] }).items)

  /** The committees' borders hardly ever change: one answer lasts, and the map works without the hub. */
  const borders = shallowRef<readonly AreaFeature[] | null>(null)

  async function load(): Promise<void> {
    const [found, named] = await Promise.all([
      client.catalog().catch(() => null), client.rules().catch(() => null), loadBorders().catch(() => null),
    ])
    if (found) keep(catalogName, (catalog.value = found))
    if (named) keep(rulesName, { items: (rules.value = named) })
  }

  async function loadBorders(): Promise<readonly AreaFeature[]> {
    return (borders.value = await client.areaMap())
  }

  return { catalog, rules, borders, load, loadBorders }
}

function keep(name: string, value: object): void {
  localStorage.setItem(name, JSON.stringify(value))
}

function stored<T extends object>(name: string, none: T): T {
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(name) ?? '{}') as Partial<T>) }
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
  const rules = computed(() => new Map(store.rules.value.map((rule) => [rule.id, rule])))

  const say = (words: Words): string => (locale.value === 'en' && words.en) || words.zh
  const unit = (name: string): string => metrics.value.get(name)?.unit ?? unitOf(name)

  return {
    catalog: store.catalog,
    borders: store.borders,
    loadBorders: store.loadBorders,
    say,
    unit,
    kindName(id: string): string {
      const title = kinds.value.get(id)?.title ?? unlisted[id]
      return (title && say(title)) || id
    },
    metricName(name: string): string {
      const metric = metrics.value.get(name)
      return (metric && say(metric)) || name
    },
    /** Empty if the hub does not name it. */
    ruleName(id: string): string {
      const rule = rules.value.get(id)
      return rule ? say(rule.title) : ''
    },
    /** A rule's instructions in English; empty if it has none, or other ones by now. */
    translated(id: string, response: string): string {
      const rule = rules.value.get(id)
      return (rule?.response === response && rule.response_en) || ''
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
