/** The keys of the console. Matching goes by the physical key, so a Chinese input method cannot swallow a command. */

export type Screen = 'screen.live' | 'screen.devices' | 'screen.map' | 'screen.waste' | 'screen.maintain'

export type KeyCommand =
  | 'acknowledge' | 'resolve' | 'unacknowledge' | 'note' | 'submit' | 'mute'
  | Screen | 'search' | 'help' | 'back'

export interface Binding {
  command: KeyCommand
  code: string
  ctrl?: boolean
  alt?: boolean
  /** Works while a text field has the focus. */
  typing?: boolean
  /** As shown on buttons and in the help. */
  label: string
}

export const bindings: readonly Binding[] = [
  { command: 'acknowledge', code: 'F2', label: 'F2' },
  { command: 'resolve', code: 'F4', label: 'F4' },
  { command: 'unacknowledge', code: 'KeyU', alt: true, label: 'Alt+U' },
  { command: 'note', code: 'KeyN', alt: true, label: 'Alt+N' },
  { command: 'submit', code: 'Enter', ctrl: true, typing: true, label: 'Ctrl+Enter' },
  { command: 'submit', code: 'NumpadEnter', ctrl: true, typing: true, label: 'Ctrl+Enter' },
  { command: 'mute', code: 'KeyM', alt: true, label: 'Alt+M' },
  { command: 'screen.live', code: 'Digit1', alt: true, label: 'Alt+1' },
  { command: 'screen.devices', code: 'Digit2', alt: true, label: 'Alt+2' },
  { command: 'screen.map', code: 'Digit3', alt: true, label: 'Alt+3' },
  { command: 'screen.waste', code: 'Digit4', alt: true, label: 'Alt+4' },
  { command: 'screen.maintain', code: 'Digit5', alt: true, label: 'Alt+5' },
  { command: 'search', code: 'KeyK', ctrl: true, label: 'Ctrl+K' },
  { command: 'help', code: 'Slash', ctrl: true, label: 'Ctrl+/' },
  { command: 'back', code: 'Escape', label: 'Esc' },
]

/** Single letters, off by default: speech input and a stray hand would trigger them. */
export const letterBindings: readonly Binding[] = [
  { command: 'acknowledge', code: 'KeyA', label: 'A' },
  { command: 'resolve', code: 'KeyR', label: 'R' },
  { command: 'unacknowledge', code: 'KeyU', label: 'U' },
  { command: 'note', code: 'KeyN', label: 'N' },
]

export type KeyStroke = Pick<KeyboardEvent,
  'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey' | 'isComposing' | 'keyCode' | 'repeat' | 'target'>

/** keyCode of every key that an input method is handling. */
const imeKey = 229

/** The command of a key stroke, or null: not for keys of an input method, auto-repeat, or (mostly) text fields. */
export function commandOf(stroke: KeyStroke, letters = false): KeyCommand | null {
  if (stroke.isComposing || stroke.keyCode === imeKey || stroke.repeat) return null
  if (stroke.shiftKey || stroke.metaKey) return null
  const typing = isTyping(stroke.target)
  const active = letters ? [...bindings, ...letterBindings] : bindings
  const found = active.find((binding) => binding.code === stroke.code
    && Boolean(binding.ctrl) === stroke.ctrlKey
    && Boolean(binding.alt) === stroke.altKey
    && (!typing || binding.typing))
  return found?.command ?? null
}

export function labelOf(command: KeyCommand): string {
  return bindings.find((binding) => binding.command === command)?.label ?? ''
}

const textTypes = new Set(['text', 'search', 'password', 'email', 'number', 'tel', 'url', 'date', 'datetime-local', 'time'])

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable) return true
  if (target instanceof HTMLInputElement) return textTypes.has(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}
