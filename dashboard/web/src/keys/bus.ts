import { inject, onActivated, onBeforeUnmount, onDeactivated, onMounted, type InjectionKey } from 'vue'
import { commandOf, type KeyCommand } from './keymap'

type Handler = () => void

/** Still obeyed while a dialog is open; the rest waits for it. */
const throughDialogs = new Set<KeyCommand>(['submit', 'mute'])

/** Sends key commands to the screen on top: the latest subscriber of a command gets it. */
export function createKeyBus(letters: () => boolean) {
  const handlers = new Map<KeyCommand, Handler[]>()
  let dialogs = 0

  function on(command: KeyCommand, handler: Handler): () => void {
    const list = handlers.get(command) ?? []
    handlers.set(command, [...list, handler])
    return () => handlers.set(command, (handlers.get(command) ?? []).filter((other) => other !== handler))
  }

  function handle(event: KeyboardEvent): void {
    const command = commandOf(event, letters())
    if (!command || (dialogs > 0 && !throughDialogs.has(command))) return
    const list = handlers.get(command)
    const top = list?.[list.length - 1]
    if (!top) return
    event.preventDefault()
    top()
  }

  return {
    on,
    handle,
    holdForDialog(): () => void {
      dialogs++
      return () => void dialogs--
    },
  }
}

export type KeyBus = ReturnType<typeof createKeyBus>
export const keyBusKey: InjectionKey<KeyBus> = Symbol('keys')

export function useKeyBus(): KeyBus {
  const bus = inject(keyBusKey)
  if (!bus) throw new Error('useKeyBus outside of the app')
  return bus
}

/** Obeys commands while the calling component is on the screen. */
export function useKeys(commands: Partial<Record<KeyCommand, Handler>>): void {
  const bus = useKeyBus()
  let stops: (() => void)[] = []
  function stop(): void {
    stops.forEach((one) => one())
    stops = []
  }
  function start(): void {
    stop() // a kept component is both mounted and activated
    stops = Object.entries(commands).map(([command, handler]) => bus.on(command as KeyCommand, handler))
  }
  onMounted(start)
  onActivated(start)
  onDeactivated(stop)
  onBeforeUnmount(stop)
}
