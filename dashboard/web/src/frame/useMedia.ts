import { onBeforeUnmount, shallowRef } from 'vue'

/** Whether a media query holds. */
export function useMedia(query: string) {
  const list = matchMedia(query)
  const holds = shallowRef(list.matches)
  const follow = (event: MediaQueryListEvent) => (holds.value = event.matches)
  list.addEventListener('change', follow)
  onBeforeUnmount(() => list.removeEventListener('change', follow))
  return holds
}
