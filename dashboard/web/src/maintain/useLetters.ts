import { reactive, shallowRef, watch as observe } from 'vue'
import type { ApiError } from '../api/client'
import type { Redriven } from '../api/types'
import { useClient } from '../console'
import { letterOf, type Letter } from './record'

export type List = 'deadletters' | 'rejects'

const pageSize = 50

export type Outcome = { pending: true } | { pending: false; result: Redriven } | { pending: false; error: ApiError }

/** A list of the journal, newest first, a page at a time; and the second tries of this session. */
export function useLetters(list: () => List) {
  const client = useClient()
  const letters = shallowRef<readonly Letter[]>([])
  const error = shallowRef<ApiError | null>(null)
  const loading = shallowRef(false)
  const next = shallowRef('')
  const outcomes = reactive(new Map<number, Outcome>())

  async function load(more = false): Promise<void> {
    const wanted = list()
    loading.value = true
    try {
      const page = await client.side(wanted, { limit: pageSize, ...(more ? { cursor: next.value } : {}) })
      if (wanted !== list()) return
      letters.value = [...(more ? letters.value : []), ...page.items.map(letterOf)]
      next.value = page.next
      error.value = null
    } catch (failure) {
      if (wanted === list()) error.value = failure as ApiError
    } finally {
      if (wanted === list()) loading.value = false
    }
  }

  async function redrive(n: number): Promise<void> {
    outcomes.set(n, { pending: true })
    try {
      outcomes.set(n, { pending: false, result: await client.redrive(n) })
    } catch (failure) {
      outcomes.set(n, { pending: false, error: failure as ApiError })
    }
  }

  observe(list, () => {
    letters.value = []
    next.value = ''
    void load()
  }, { immediate: true })

  return { letters, error, loading, next, outcomes, load, redrive }
}
