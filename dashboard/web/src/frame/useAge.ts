import { useWords } from '../i18n'
import { useWatch } from '../store/watch'
import { ageParts } from './format'

/** Says how long ago something was, by the hub's clock; "never" for 0. */
export function useAge(): (ms: number) => string {
  const watch = useWatch()
  const { t } = useWords()
  return (ms) => {
    if (!ms) return t('time.never')
    const { unit, n } = ageParts(watch.now.value - ms)
    return t(`time.${unit}`, { n })
  }
}
