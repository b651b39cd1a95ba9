import type { Action } from '../api/client'
import type { Disposition } from '../api/types'

export interface Draft {
  text: string
  disposition: Disposition | ''
}

const empty: Draft = { text: '', disposition: '' }
const keyOf = (id: string, action: Action): string => `wh.draft.${id}.${action}`

/** What was typed and not yet sent; it survives a reload, a lost session and a closed dialog, and ends with the tab. */
export function readDraft(id: string, action: Action): Draft {
  try {
    return { ...empty, ...(JSON.parse(sessionStorage.getItem(keyOf(id, action)) ?? '{}') as Partial<Draft>) }
  } catch {
    return { ...empty }
  }
}

export function keepDraft(id: string, action: Action, draft: Draft): void {
  if (draft.text || draft.disposition) sessionStorage.setItem(keyOf(id, action), JSON.stringify(draft))
  else sessionStorage.removeItem(keyOf(id, action))
}

export function dropDraft(id: string, action: Action): void {
  sessionStorage.removeItem(keyOf(id, action))
}
