import { watch as observe } from 'vue'
import type { Router } from 'vue-router'
import { Client } from './api/client'
import { uuid } from './api/id'
import type { User } from './api/types'
import type { Settings } from './frame/settings'
import { createCommands } from './incidents/commands'
import { parts, prefetch, screens } from './screens'
import type { Shift } from './shift/shift'
import { createAlarm } from './sound/alarm'
import { SoundEngine } from './sound/engine'
import { createCatalog } from './store/catalog'
import { createWatch } from './store/watch'
import type { ToPage, ToWorker } from './stream/protocol'

const hintKey = 'wh.signed-in'

/** Everything behind the screens: made once, wired here and nowhere else. */
export function createConsole() {
  const tab = uuid()
  const worker = new Worker(new URL('./stream/worker.ts', import.meta.url), { type: 'module' })
  const tell = (message: ToWorker) => worker.postMessage(message)
  const watch = createWatch({
    now: () => performance.now(),
    hidden: () => document.hidden,
    frame: (task) => void requestAnimationFrame(task),
    later: setTimeoutOf,
    seen: (seq) => tell({ m: 'seen', seq }),
  })
  worker.onmessage = (event: MessageEvent<ToPage[]>) => watch.receive(event.data)

  const client = new Client()
  client.onUnauthorized = () => {
    watch.signedOut.value = true
  }
  const engine = new SoundEngine()
  const alarm = createAlarm({ engine, watch, tab, report: (state) => tell({ m: 'audio', state }) })
  const commands = createCommands(client, watch)

  const catalog = createCatalog(client)
  observe(watch.snapshots, () => {
    void loadDone(client, watch.overlay)
    void catalog.load() // a hub that was started anew may know more
  })
  setInterval(watch.beat, watch.beatMs)
  followPage(tell, watch.reportSeen)
  expose(engine)

  let fetched = false

  function enter(user: User): void {
    watch.user.value = user
    watch.signedOut.value = false
    localStorage.setItem(hintKey, '1')
    tell({ m: 'start', tab })
    if (!fetched) prefetch([...Object.values(screens), ...Object.values(parts)], { idle, later: setTimeoutOf })
    fetched = true
  }

  /** The user of a running session, asked for only where there may be one: a refusal would be an error in the log. */
  async function resume(): Promise<void> {
    if (!localStorage.getItem(hintKey)) return
    const user = await client.me().catch(() => null)
    watch.signedOut.value = false
    if (user) enter(user)
  }

  async function leave(shift: Shift, router: Router): Promise<void> {
    await client.logout().catch(() => undefined)
    localStorage.removeItem(hintKey)
    shift.end()
    await router.push('/login')
    location.reload() // nothing of one operator stays in memory for the next
  }

  return { watch, client, catalog, alarm, commands, engine, enter, resume, leave }
}

export type Console = ReturnType<typeof createConsole> & { settings: Settings; shift: Shift }

/** Old cores and hidden pages have no idle time to give. */
function idle(task: () => void): void {
  setTimeout(task, document.hidden ? 0 : 50)
}

function setTimeoutOf(ms: number, task: () => void): void {
  setTimeout(task, ms)
}

/** What was closed today is not part of a snapshot. */
async function loadDone(client: Client, overlay: ReturnType<typeof createWatch>['overlay']): Promise<void> {
  const closed = await client.incidents({ state: 'closed', limit: 200 }).catch(() => [])
  for (const incident of closed) overlay(incident)
}

/** The network or the screen came back: look at the stream at once. */
function followPage(tell: (message: ToWorker) => void, reportSeen: () => Promise<void>): void {
  window.addEventListener('online', () => tell({ m: 'kick' }))
  window.addEventListener('pageshow', () => tell({ m: 'kick' }))
  document.addEventListener('visibilitychange', () => {
    tell({ m: 'visible', visible: !document.hidden })
    if (document.hidden) return
    tell({ m: 'kick' })
    void reportSeen()
  })
}

/** A read-only look at the loudspeaker, for tests and for the support on the telephone. */
function expose(engine: SoundEngine): void {
  const audio = Object.freeze({
    state: () => engine.state(),
    pattern: () => engine.pattern(),
    loud: () => engine.loud(),
    level: () => engine.level(),
    startedAt: () => engine.startedAt(),
  })
  Object.defineProperty(window, '__watchhouse', { value: Object.freeze({ audio }) })
}
