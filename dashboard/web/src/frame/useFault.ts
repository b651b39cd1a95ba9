import { useI18n } from 'vue-i18n'
import { useWords } from '../i18n'
import { splitFault, wantInChinese } from './faults'

/** Says what is wrong with a field in the reader's language. The hub's own sentence is for the technical details. */
export function useFault(): (message: string) => string {
  const { t } = useWords()
  const { locale } = useI18n()
  return (message) => {
    if (locale.value === 'en' || !message) return message
    const want = wantInChinese(message)
    const got = splitFault(message)?.got ?? ''
    // What stands between quotes is what was filled in; anything else is the hub's description of it.
    const filled = /^"(.*)"$/s.exec(got)?.[1] ?? (/^[\w.+:-]*\d[\w.+:-]*$/.test(got) ? got : '')
    const said = want ? t('fault.want', { want }) : t('fault.unknown')
    return filled ? `${said}${t('fault.got', { got: filled })}` : said
  }
}
