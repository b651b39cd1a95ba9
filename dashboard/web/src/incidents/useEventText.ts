import type { TimelineEntry } from '../api/types'
import { useWords } from '../i18n'

/** What a transition's text means: a clock's name, the kind of message that raised it, or somebody's own words. */
export function useEventText(): (entry: Pick<TimelineEntry, 'kind' | 'text'>) => string {
  const { word } = useWords()
  return ({ kind, text }) => {
    if (!text) return ''
    if (kind === 'escalated' || kind === 'lapsed') return word('deadline', text)
    return kind === 'raised' || kind === 'occurrence' ? word('eventType', text) : text
  }
}
