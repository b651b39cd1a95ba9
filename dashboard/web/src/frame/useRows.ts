import { useVirtualizer } from '@tanstack/vue-virtual'
import { computed, nextTick, shallowRef, useTemplateRef, watch as observe } from 'vue'

/**
 * Rows of one height (which may change with the screen), of which only those in sight exist; one of them is the tab stop and the arrow keys move it.
 * The list's rows carry their key as data-id,
 * the element that scrolls is the template's ref "viewport".
 */
export function useRows<T>(rows: () => readonly T[], keyOf: (row: T) => string, rowHeight: number | (() => number), open: (key: string) => void) {
  const viewport = useTemplateRef<HTMLElement>('viewport')
  const active = shallowRef('')
  const height = computed(() => (typeof rowHeight === 'number' ? rowHeight : rowHeight()))
  const keys = computed(() => rows().map(keyOf))
  const tabStop = computed(() => (keys.value.includes(active.value) ? active.value : keys.value[0]))
  const virtual = useVirtualizer(computed(() => ({
    count: rows().length,
    getScrollElement: () => viewport.value,
    estimateSize: () => height.value,
    getItemKey: (index: number) => keys.value[index] ?? index,
    overscan: 8,
  })))
  const shown = computed(() => virtual.value.getVirtualItems().flatMap(({ index, start }) => {
    const row = rows()[index]
    return row === undefined ? [] : [{ row, index, start, key: keyOf(row) }]
  }))
  observe(height, () => virtual.value.measure())
  const total = computed(() => virtual.value.getTotalSize())

  async function focus(index: number): Promise<void> {
    const at = Math.max(0, Math.min(index, keys.value.length - 1))
    const key = keys.value[at]
    if (key === undefined) return
    active.value = key
    virtual.value.scrollToIndex(at)
    await nextTick()
    viewport.value?.querySelector<HTMLElement>(`[data-id="${CSS.escape(key)}"]`)?.focus({ preventScroll: true })
  }

  function onKey(event: KeyboardEvent): void {
    const at = keys.value.indexOf(tabStop.value ?? '')
    const page = Math.max(1, Math.floor((viewport.value?.clientHeight ?? height.value) / height.value) - 1)
    const steps: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: keys.value.length - 1, PageDown: at + page, PageUp: at - page,
    }
    const target = steps[event.code]
    if (target !== undefined) void focus(target)
    else if (event.code === 'Enter' && tabStop.value) open(tabStop.value)
    else return
    event.preventDefault()
  }

  return { tabStop, shown, total, onKey }
}
