import type { Incident } from '../api/types'
import { clockTime } from '../frame/format'
import { useProblem } from '../frame/useProblem'
import { useWords } from '../i18n'
import { holder, type Attempt } from './commands'

/** Says why a command failed, in words that tell what to do next. */
export function useFailure(): (attempt: Attempt) => string {
  const { t, word } = useWords()
  const problem = useProblem()

  function conflict(attempt: Attempt, current: Incident | undefined): string {
    if (!current) return t('action.precondition')
    if (attempt.action === 'acknowledge' && holder(current)) {
      return t('action.takenBy', { name: holder(current), time: clockTime(current.acknowledged_at ?? current.resolved_at ?? 0) })
    }
    return t('action.changed', { state: word('state', current.state) })
  }

  return (attempt) => {
    const { error } = attempt
    if (!error) return ''
    switch (error.code) {
      case 'conflict': return conflict(attempt, error.problem.current)
      case 'network': return t('action.network')
      case 'forbidden': return t('action.forbidden')
      case 'precondition_required': return t('action.precondition')
      default: return t('action.failed', { cause: problem(error) })
    }
  }
}
