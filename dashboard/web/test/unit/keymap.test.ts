import { describe, expect, it } from 'vitest'
import { bindings, commandOf, type KeyStroke } from '../../src/keys/keymap'

function stroke(patch: Partial<KeyStroke>): KeyStroke {
  return { code: '', ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, isComposing: false, keyCode: 1, repeat: false, target: null, ...patch }
}

function field(tag: 'input' | 'textarea' | 'select', type = 'text'): HTMLElement {
  const element = document.createElement(tag)
  if (element instanceof HTMLInputElement) element.type = type
  return element
}

describe('the keys', () => {
  it('go by the physical key', () => {
    expect(commandOf(stroke({ code: 'F2' }))).toBe('acknowledge')
    expect(commandOf(stroke({ code: 'KeyM', altKey: true }))).toBe('mute')
    expect(commandOf(stroke({ code: 'Slash', ctrlKey: true }))).toBe('help')
  })

  it('leave an input method alone', () => {
    expect(commandOf(stroke({ code: 'F2', keyCode: 229 }))).toBeNull()
    expect(commandOf(stroke({ code: 'F2', isComposing: true }))).toBeNull()
    expect(commandOf(stroke({ code: 'Enter', ctrlKey: true, keyCode: 229, target: field('textarea') }))).toBeNull()
  })

  it('leave text fields alone, except for sending', () => {
    for (const target of [field('input'), field('input', 'search'), field('textarea'), field('select')]) {
      expect(commandOf(stroke({ code: 'F2', target }))).toBeNull()
      expect(commandOf(stroke({ code: 'KeyK', ctrlKey: true, target }))).toBeNull()
      expect(commandOf(stroke({ code: 'Enter', ctrlKey: true, target }))).toBe('submit')
    }
    expect(commandOf(stroke({ code: 'F2', target: field('input', 'radio') }))).toBe('acknowledge')
  })

  it('need exactly their modifiers, and do not repeat', () => {
    expect(commandOf(stroke({ code: 'F4', altKey: true }))).toBeNull()
    expect(commandOf(stroke({ code: 'F2', shiftKey: true }))).toBeNull()
    expect(commandOf(stroke({ code: 'F2', repeat: true }))).toBeNull()
  })

  it('are single letters only when asked for', () => {
    expect(commandOf(stroke({ code: 'KeyA' }))).toBeNull()
    expect(commandOf(stroke({ code: 'KeyA' }), true)).toBe('acknowledge')
    expect(commandOf(stroke({ code: 'KeyA', target: field('textarea') }), true)).toBeNull()
  })

  it('do not claim one stroke twice', () => {
    const strokes = bindings.map((b) => `${b.ctrl ? 'c' : ''}${b.alt ? 'a' : ''}${b.code}`)
    expect(new Set(strokes).size).toBe(strokes.length)
  })
})
