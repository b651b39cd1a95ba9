/**
 * Everything that comes in a piece of its own. Who uses a piece and who fetches it ahead name it here, so that no screen is
 * forgotten: test/unit/screens.test.ts looks for imports elsewhere.
 */
export const screens = {
  incident: () => import('./views/IncidentView.vue'),
  devices: () => import('./views/DevicesView.vue'),
  device: () => import('./views/DeviceView.vue'),
  map: () => import('./views/MapView.vue'),
  waste: () => import('./views/WasteView.vue'),
  maintain: () => import('./views/MaintainView.vue'),
}

export const parts = {
  help: () => import('./frame/HelpDialog.vue'),
  miniMap: () => import('./map/MiniMap.vue'),
  deviceForm: () => import('./devices/DeviceDialog.vue'),
  importForm: () => import('./devices/ImportDialog.vue'),
  secret: () => import('./devices/SecretDialog.vue'),
  confirm: () => import('./devices/ConfirmDialog.vue'),
  chart: () => import('./devices/SeriesChart.vue'),
  mapEngine: () => import('./map/leaflet'),
  english: () => import('./i18n/en'),
}

export interface PrefetchPorts {
  /** Runs when the page has nothing better to do. */
  idle(task: () => void): void
  later(ms: number, task: () => void): void
}

const retryAfter = 15_000

/**
 * Fetches every piece once somebody has signed in, one after the other: an operator must be able to open any screen after the
 * hub is gone. What could not be fetched is tried again.
 */
export function prefetch(pieces: readonly (() => Promise<unknown>)[], { idle, later }: PrefetchPorts): void {
  const queue = [...pieces]
  const next = (): void => {
    const piece = queue[0]
    if (!piece) return
    piece().then(() => {
      queue.shift()
      idle(next)
    }, () => later(retryAfter, next))
  }
  idle(next)
}
