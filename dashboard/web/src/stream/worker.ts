import type { Snapshot } from '../api/types'
import { Connection } from './connection'
import { Outbox } from './outbox'
import { subprotocol, type AudioReport, type ToPage, type ToWorker } from './protocol'

/** The dedicated worker that owns socket and timers: a busy or throttled page does not delay them. */

interface WorkerScope {
  postMessage(message: ToPage[]): void
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null
}

const scope = self as unknown as WorkerScope
const outbox = new Outbox((messages) => scope.postMessage(messages))
let connection: Connection | null = null
let audio: AudioReport | null = null

function streamUrl(): string {
  const url = new URL('/api/v1/stream', self.location.origin)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

async function fetchSnapshot(): Promise<Snapshot> {
  const response = await fetch('/api/v1/snapshot', { credentials: 'same-origin', cache: 'no-store' })
  if (!response.ok) throw new Error(`snapshot: ${response.status}`)
  return (await response.json()) as Snapshot
}

async function signedIn(): Promise<boolean> {
  try {
    const response = await fetch('/api/v1/me', { credentials: 'same-origin', cache: 'no-store' })
    return response.status !== 401
  } catch {
    return true // the network's fault, not the session's
  }
}

function later(ms: number, task: () => void): () => void {
  const timer = setTimeout(task, ms)
  return () => clearTimeout(timer)
}

function start(tab: string): void {
  connection ??= new Connection({
    open: () => new WebSocket(streamUrl(), subprotocol),
    emit: (message) => outbox.push(message),
    snapshot: fetchSnapshot,
    signedIn,
    now: () => performance.now(),
    later,
  }, { epoch: '', seq: 0 }, tab)
  if (audio) connection.reportAudio(audio)
  connection.start()
}

scope.onmessage = ({ data }) => {
  switch (data.m) {
    case 'start': return start(data.tab)
    case 'stop': return connection?.stop()
    case 'kick': return connection?.kick()
    case 'seen': return connection?.seen(data.seq)
    case 'audio':
      audio = data.state // the page judges its loudspeaker before anybody has signed in
      return connection?.reportAudio(data.state)
    case 'visible':
      outbox.visible = data.visible
      if (data.visible) outbox.flush()
  }
}
