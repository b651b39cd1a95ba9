import { computed, onBeforeUnmount, shallowRef } from 'vue'

const stillAfter = 15_000

/**
 * Whether a hand is on the list: a pointer or the focus inside it that moved within a quarter of a minute, or a list scrolled
 * away from its top. A forgotten mouse must not hold new alerts back for ever.
 */
export function useHand() {
  const pointer = shallowRef(false)
  const focus = shallowRef(false)
  const scrolled = shallowRef(false)
  const moving = shallowRef(false)
  let timer: ReturnType<typeof setTimeout> | null = null

  function move(): void {
    moving.value = true
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => (moving.value = false), stillAfter)
  }

  onBeforeUnmount(() => timer && clearTimeout(timer))

  return {
    on: computed(() => scrolled.value || (moving.value && (pointer.value || focus.value))),
    handlers: {
      pointerenter: () => { pointer.value = true },
      pointerleave: () => { pointer.value = false },
      // A list that appears under a resting pointer is not a hand.
      pointermove: (event: PointerEvent) => { if (event.movementX !== 0 || event.movementY !== 0) move() },
      keydown: move,
      focusin: () => { focus.value = true; move() },
      focusout: (event: FocusEvent) => {
        const list = event.currentTarget as HTMLElement
        focus.value = list.contains(event.relatedTarget as Node | null)
      },
    },
    scroll(event: Event): void {
      scrolled.value = (event.target as HTMLElement).scrollTop > 0
    },
  }
}
