import type { Action } from '../api/client'
import type { Incident } from '../api/types'
import { useKeys } from '../keys/bus'
import { useWatch } from '../store/watch'
import { allowedActions, nobody } from './allowed'
import { useCommands } from './commands'
import { useDialogs } from './dialogs'

/** The keys of the closed loop for the incident that a screen names at the moment of the press. */
export function useIncidentKeys(toAcknowledge: () => Incident | undefined, selected: () => Incident | undefined): void {
  const commands = useCommands()
  const dialogs = useDialogs()
  const watch = useWatch()
  // The book may be a frame ahead of what is drawn; a key that follows at once goes by the book.
  const isAllowed = (incident: Incident, action: Action): boolean =>
    allowedActions(watch.incident(incident.id) ?? incident, watch.user.value ?? nobody).includes(action)
  const ask = (action: 'resolve' | 'unacknowledge' | 'note') => () => {
    const incident = selected()
    if (incident && isAllowed(incident, action)) dialogs.ask(incident.id, action)
  }
  useKeys({
    acknowledge: () => {
      const incident = toAcknowledge()
      if (incident && isAllowed(incident, 'acknowledge')) void commands.run(incident.id, { action: 'acknowledge' })
    },
    resolve: ask('resolve'),
    unacknowledge: ask('unacknowledge'),
    note: ask('note'),
  })
}
