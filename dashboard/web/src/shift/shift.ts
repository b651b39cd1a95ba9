import { computed, inject, shallowRef, type InjectionKey } from 'vue'

export interface ShiftRecord {
  user: string
  at: number
  /** false: somebody who only watches; the console says so all the time. */
  duty: boolean
}

const storageKey = 'wh.shift'

/** The shift of this tab. It ends with the tab or with signing out; a reload keeps it. */
export function createShift() {
  const record = shallowRef<ShiftRecord | null>(read())

  function keep(next: ShiftRecord | null): void {
    record.value = next
    if (next) sessionStorage.setItem(storageKey, JSON.stringify(next))
    else sessionStorage.removeItem(storageKey)
  }

  return {
    record,
    watching: computed(() => !record.value?.duty),
    start: (user: string, duty: boolean) => keep({ user, at: Date.now(), duty }),
    end: () => keep(null),
  }
}

function read(): ShiftRecord | null {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as ShiftRecord | null
  } catch {
    return null
  }
}

export type Shift = ReturnType<typeof createShift>
export const shiftKey: InjectionKey<Shift> = Symbol('shift')

export function useShift(): Shift {
  const shift = inject(shiftKey)
  if (!shift) throw new Error('useShift outside of the app')
  return shift
}
