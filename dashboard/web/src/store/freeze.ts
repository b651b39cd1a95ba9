/**
 * The order a hand may trust: while frozen, rows keep their places, arrivals wait outside and departures stay visible.
 * `current` is the true order of ids.
 */
export class FrozenOrder {
  private shown: string[] = []

  /** Gives the ids to show, how many arrivals wait and how many of the shown have left. */
  update(current: readonly string[], frozen: boolean): { ids: readonly string[]; waiting: number; gone: number } {
    // An empty list has no place that a hand could miss.
    if (!frozen || this.shown.length === 0) {
      this.shown = [...current]
      return { ids: this.shown, waiting: 0, gone: 0 }
    }
    const [known, there] = [new Set(this.shown), new Set(current)]
    return {
      ids: this.shown,
      waiting: current.filter((id) => !known.has(id)).length,
      gone: this.shown.filter((id) => !there.has(id)).length,
    }
  }

  /** Lets the waiting rows in; the freeze goes on from the new order. */
  release(current: readonly string[]): void {
    this.shown = [...current]
  }
}

/** The row that takes the focus when `lost` is gone from `next`: its successor in the old order, else the last row. */
export function successor(previous: readonly string[], next: readonly string[], lost: string): string | null {
  const there = new Set(next)
  if (there.has(lost)) return lost
  const from = previous.indexOf(lost)
  const after = previous.slice(from + 1).find((id) => there.has(id))
  return after ?? next[next.length - 1] ?? null
}
