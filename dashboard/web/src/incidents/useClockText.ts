import { useWords } from '../i18n'
import { isLadder, spanParts } from './clocks'

/** Says which clock it is. `waited`: how long nobody will have acknowledged when it runs out, in ms; 0 = not known. */
export function useClockText(): (name: string, waited: number) => string {
  const { t, word } = useWords()
  return (name, waited) => {
    if (!isLadder(name)) return word('deadline', name)
    if (waited <= 0) return t('clock.unacknowledged')
    const { unit, n } = spanParts(waited)
    return t('clock.unacknowledgedFor', { span: t(`clock.${unit}`, { n }) })
  }
}
