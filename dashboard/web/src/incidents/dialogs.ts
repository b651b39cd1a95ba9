import { inject, shallowRef, type InjectionKey } from 'vue'
import type { Action } from '../api/client'
import type { Watch } from '../store/watch'

export interface OpenDialog {
  id: string
  action: Exclude<Action, 'acknowledge'>
  /** What the operator saw when the dialog opened: a change since then is a conflict, not a surprise. */
  version: number
}

/** At most one command dialog is open in a tab. */
export function createDialogs(watch: Watch) {
  const open = shallowRef<OpenDialog | null>(null)
  return {
    open,
    ask(id: string, action: OpenDialog['action']): void {
      const incident = watch.incident(id)
      if (incident && !open.value) open.value = { id, action, version: incident.version }
    },
    close(): void {
      open.value = null
    },
  }
}

export type Dialogs = ReturnType<typeof createDialogs>
export const dialogsKey: InjectionKey<Dialogs> = Symbol('dialogs')

export function useDialogs(): Dialogs {
  const dialogs = inject(dialogsKey)
  if (!dialogs) throw new Error('useDialogs outside of the app')
  return dialogs
}
