import { useI18n } from 'vue-i18n'
import type { Incident } from '../api/types'
import { useWords } from '../i18n'
import { useCatalog } from './catalog'
import { isOrder } from './incidents'
import { useWatch } from './watch'

/** Names of areas, devices and rules in the reader's language; an id stands for what the hub does not name. */
export function usePlaces() {
  const watch = useWatch()
  const catalog = useCatalog()
  const { t, word } = useWords()
  const { locale } = useI18n()

  function areaName(id: string | undefined): string {
    const area = id ? watch.areas.value.get(id) : undefined
    if (!area) return id ?? ''
    return (locale.value === 'en' && area.name_en) || area.name
  }

  function deviceName(id: string): string {
    return watch.device(id)?.name || id
  }

  function placeOf(incident: Incident): string {
    return [areaName(incident.area), deviceName(incident.device)].filter(Boolean).join(' · ')
  }

  /** The hub's name; before it answered for the first time, the page's own for the shipped rules. */
  function ruleName(id: string): string {
    return catalog.ruleName(id) || word('rule', id)
  }

  /**
   * What is to be done, in English where the rule says it so. An incident keeps the words that its rule had when it was raised:
   * they are only replaced by a translation of the very same words.
   */
  function responseOf(incident: Incident): string {
    const said = incident.response ?? ''
    return (locale.value === 'en' && catalog.translated(incident.rule, said)) || said
  }

  /** An order that nobody has taken in hand waits for its contact: it is not unacknowledged. */
  function stateOf(incident: Incident): string {
    return isOrder(incident) ? t('live.orderOpen') : word('state', incident.state)
  }

  return { responseOf, stateOf, areaName, deviceName, placeOf, ruleName }
}
