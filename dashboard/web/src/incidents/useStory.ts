import { onBeforeUnmount, shallowRef, watch as observe } from 'vue'
import { ApiError } from '../api/client'
import type { Incident, TimelineEntry } from '../api/types'
import { useClient } from '../console'
import { useWatch } from '../store/watch'

/** One incident with its timeline, kept up to date by the stream; an incident too old for the live state is fetched. */
export function useStory(id: () => string) {
  const client = useClient()
  const watch = useWatch()
  const fetched = shallowRef<Incident | null>(null)
  const timeline = shallowRef<readonly TimelineEntry[]>([])
  const error = shallowRef<ApiError | null>(null)
  const loading = shallowRef(true)

  function merge(entries: readonly TimelineEntry[]): void {
    const bySeq = new Map([...timeline.value, ...entries].map((entry) => [entry.seq, entry]))
    timeline.value = [...bySeq.values()].sort((a, b) => a.seq - b.seq)
  }

  async function load(): Promise<void> {
    const wanted = id()
    loading.value = true
    try {
      const story = await client.incident(wanted)
      if (wanted !== id()) return
      fetched.value = story.incident
      error.value = null
      merge(story.timeline ?? [])
    } catch (failure) {
      if (wanted === id()) error.value = failure as ApiError
    } finally {
      if (wanted === id()) loading.value = false
    }
  }

  onBeforeUnmount(watch.onTransition((event) => {
    if (event.incident.id === id()) merge([event])
  }))
  observe(id, () => {
    timeline.value = []
    fetched.value = null
    void load()
  }, { immediate: true })
  // A snapshot skips transitions: read the story again.
  observe(watch.snapshots, (_, before) => { if (before > 0) void load() })

  return { fetched, timeline, error, loading, load }
}
