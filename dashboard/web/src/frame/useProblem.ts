import { useI18n } from 'vue-i18n'
import type { ApiError } from '../api/client'
import { useWords } from '../i18n'

/** Why a request failed. The hub's sentence is English: a Chinese page goes by the stable code and says what to do itself. */
export function useProblem(): (error: ApiError) => string {
  const { t, te } = useWords()
  const { locale } = useI18n()
  return (error) => {
    if (locale.value === 'en' && error.problem.detail) return error.problem.detail
    return te(`problem.${error.code}`) ? t(`problem.${error.code}`) : t('problem.internal')
  }
}
