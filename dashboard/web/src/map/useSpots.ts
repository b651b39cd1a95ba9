import { computed, type Ref } from 'vue'
import type { AreaFeature, Incident } from '../api/types'
import { useWords } from '../i18n'
import { usePlaces } from '../store/places'
import { useWatch } from '../store/watch'
import { conditionOf } from '../store/devices'
import type { Marker } from './adapter'
import { nearest } from './geo'
import { byNeed, layers, spotsOf, type Layer, type Spot } from './spots'

const nearestHouses = 3

/** What the map shows: markers of the chosen layers; those that are abnormal, and the houses that lines lead to, in any case. */
export function useSpots(areas: Ref<readonly AreaFeature[]>, shown: Ref<ReadonlySet<Layer>>, selectedId: Ref<string>) {
  const watch = useWatch()
  const places = usePlaces()
  const { t } = useWords()

  const spots = computed(() => spotsOf(watch.fleet.value, watch.view.value.openByDevice, areas.value))
  const abnormal = computed(() => spots.value.all.filter((spot) => spot.priority !== null).sort(byNeed))
  const selected = computed(() => spots.value.all.find((spot) => spot.id === selectedId.value))
  const houses = computed(() => {
    const from = selected.value
    return from ? nearest(from, spots.value.all.filter((spot) => spot.layer === 'house' && spot.id !== from.id), nearestHouses) : []
  })
  const ends = computed(() => new Set(houses.value.map(({ to }) => to.id)))
  const visible = computed(() => spots.value.all.filter((spot) => spot.priority !== null || shown.value.has(spot.layer) || ends.value.has(spot.id)))
  const counts = computed(() => {
    const found = new Map<Layer, number>()
    for (const spot of spots.value.all) found.set(spot.layer, (found.get(spot.layer) ?? 0) + spot.devices.length)
    return layers.filter((layer) => found.has(layer) || layer !== 'other').map((layer) => ({ layer, n: found.get(layer) ?? 0 }))
  })
  const markers = computed((): Marker[] => visible.value.map((spot) => ({
    id: spot.id, layer: spot.layer, lat: spot.lat, lon: spot.lon, priority: spot.priority, acked: spot.acked, count: spot.devices.length,
    doubtful: watch.dead.value, selected: spot.id === selectedId.value, label: labelOf(spot),
  })))

  function stateOf(spot: Spot): string {
    return spot.incident ? ruleAndState(spot.incident) : t(`devices.state.${spot.devices.map(conditionOf).sort(worstFirst)[0] ?? 'unknown'}`)
  }

  function ruleAndState(incident: Incident): string {
    return `${places.ruleName(incident.rule)} · ${places.stateOf(incident)}`
  }

  function labelOf(spot: Spot): string {
    const many = spot.devices.length > 1 ? t('map.devices', { n: spot.devices.length }) : ''
    const level = spot.priority ? `${t(`priority.${spot.priority}`)} ${spot.priority}` : ''
    return [level, spot.name, many, stateOf(spot), watch.dead.value ? t('link.stale') : ''].filter(Boolean).join(' · ')
  }

  return { spots, abnormal, selected, houses, counts, markers, stateOf }
}

const order = ['silent', 'offline', 'unknown', 'out_of_service', 'normal']

function worstFirst(a: string, b: string): number {
  return order.indexOf(a) - order.indexOf(b)
}
