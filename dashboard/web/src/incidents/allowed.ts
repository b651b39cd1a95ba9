import type { Action } from '../api/client'
import type { Incident } from '../api/types'
import { isDone, isHandling, isUnacked } from '../store/incidents'

const needs: Record<Action, string> = {
  acknowledge: 'handle', unacknowledge: 'handle', note: 'handle', resolve: 'handle', close: 'review', reopen: 'review',
}

/** The actions that state and role allow, the likeliest first. The hub decides; this only tidies the buttons. */
export function allowedActions(incident: Incident, permissions: readonly string[]): Action[] {
  return byState(incident).filter((action) => permissions.includes(needs[action]))
}

function byState(incident: Incident): Action[] {
  if (isUnacked(incident)) return ['acknowledge', 'note']
  if (isHandling(incident)) return ['resolve', 'note', 'unacknowledge']
  if (incident.state === 'recovered') return ['resolve', 'note']
  if (incident.state === 'resolved') return ['close', 'reopen', 'note']
  return isDone(incident) ? ['reopen'] : []
}
