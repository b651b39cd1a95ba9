import { computed, watch as observe, type Ref } from 'vue'
import type { AreaFeature } from '../api/types'
import { useWords } from '../i18n'
import { usePlaces } from '../store/places'
import type { Line } from './adapter'
import type { useSpots } from './useSpots'
import { useMap } from './useMap'

/** A map in `host` that follows its spots while `active`; its first view shows everything, from then on the view belongs to the hand. */
export function useDrawnMap(
  host: Ref<HTMLElement | null>, areas: Ref<readonly AreaFeature[]>, { abnormal, markers, selected, houses }: ReturnType<typeof useSpots>,
  active: Ref<boolean>, press: (id: string) => void,
) {
  const places = usePlaces()
  const { t } = useWords()
  let fitted = false

  const map = useMap(host, press, () => {
    drawAreas()
    draw()
    drawLines()
  })
  const labels = computed(() => areas.value.map(({ properties: { id } }) => ({
    id, name: places.areaName(id), open: abnormal.value.filter((spot) => spot.area === id && spot.incident).length,
  })))
  const lines = computed((): Line[] => {
    const from = selected.value
    return from ? houses.value.map(({ to, metres }) => ({ from, to, label: t('map.metres', { n: metres }) })) : []
  })

  function draw(): void {
    if (!active.value) return
    map.adapter.value?.setMarkers(markers.value)
    map.adapter.value?.labelAreas(labels.value)
  }

  function drawLines(): void {
    map.adapter.value?.setLines(lines.value)
  }

  function drawAreas(): void {
    map.adapter.value?.setAreas(areas.value)
    if (fitted || !map.adapter.value || areas.value.length === 0) return
    fitted = true
    map.adapter.value.fit()
  }

  observe([markers, labels, active], draw, { flush: 'post' })
  observe(areas, () => {
    drawAreas()
    draw()
  })
  observe(lines, drawLines)

  return map
}
