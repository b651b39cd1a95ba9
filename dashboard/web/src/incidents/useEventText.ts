import type { TimelineEntry } from '../api/types'
import { useWords } from '../i18n'
import { useClockText } from './useClockText'

const clockKinds = new Set(['escalated', 'skipped'])

/**
 * What a transition's text means: a clock's name, the kind of message that raised it, or somebody's own words. `since`: when the
 * incident began to wait, 0 = not known.
 */
export function useEventText(): (entry: Pick<TimelineEntry, 'kind' | 'text' | 'at'>, since: number) => string {
  const { word, t } = useWords()
  const clock = useClockText()
  return ({ kind, text, at }, since) => {
    if (!text) return ''
    if (clockKinds.has(kind)) return clock(text, since > 0 ? at - since : 0)
    if (kind === 'lapsed') return t('incident.lapsedOf', { name: text })
    if (kind === 'reopened' && text === 'still active') return t('incident.stillActive')
    return kind === 'raised' || kind === 'occurrence' ? word('eventType', text) : text
  }
}
