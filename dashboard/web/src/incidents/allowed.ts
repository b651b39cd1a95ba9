import type { Action } from '../api/client'
import type { Incident } from '../api/types'
import { isHandling } from '../store/incidents'

const needs: Record<Action, string> = {
  acknowledge: 'handle', unacknowledge: 'handle', note: 'handle', resolve: 'handle', close: 'review', reopen: 'review',
}

/** Who asks: what the hub lets a person do depends on who resolved an incident, too. */
export interface Asker {
  name: string
  permissions: readonly string[]
}

export const nobody: Asker = { name: '', permissions: [] }

/**
 * The actions that state and role allow, the likeliest first, by the guards of the hub (alerts/workflow.go): a button that
 * the hub would refuse in any case is not shown.
 */
export function allowedActions(incident: Incident, asker: Asker): Action[] {
  return byState(incident, asker).filter((action) => asker.permissions.includes(needs[action]))
}

function byState(incident: Incident, asker: Asker): Action[] {
  if (incident.state === 'new') return ['acknowledge', 'note']
  if (isHandling(incident)) return ['resolve', 'note', ...(incident.state === 'acknowledged' ? ['unacknowledge' as const] : [])]
  const closing: Action[] = mayClose(incident, asker) ? ['close'] : []
  if (incident.state === 'recovered') return ['resolve', ...closing, 'note']
  return incident.state === 'resolved' ? [...closing, 'reopen', 'note'] : []
}

/** What still goes on cannot be closed, and who resolved an emergency or a high alert does not review himself. */
function mayClose(incident: Incident, asker: Asker): boolean {
  if (incident.active) return false
  return incident.state !== 'resolved' || incident.priority > 2 || incident.resolved_by !== asker.name
}
