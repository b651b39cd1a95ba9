import type { Action } from '../api/client'
import type { Draft } from './drafts'

export const dispositions = [
  'real_visited', 'real_120', 'false_press', 'test', 'device_fault', 'unreachable_visited', 'other',
] as const

/** Enough to say something: "误触已核". */
const lifeTextLength = 4

export interface Faults {
  disposition?: string
  text?: string
}

/** The message key of each faulty field; none when the command may be sent. `life` = priority 1. */
export function validate(action: Action, life: boolean, draft: Draft): Faults {
  const text = draft.text.trim()
  const faults: Faults = {}
  if (action === 'resolve' && !draft.disposition) faults.disposition = 'dialog.needDisposition'
  if (action === 'resolve' && life && [...text].length < lifeTextLength) faults.text = 'dialog.needText'
  if (action === 'note' && !text) faults.text = 'dialog.needNote'
  if ((action === 'unacknowledge' || action === 'reopen') && !text) faults.text = 'dialog.needReason'
  return faults
}
