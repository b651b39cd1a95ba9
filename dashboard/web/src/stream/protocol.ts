import type {
  BatchBody, ClientBody, DeviceBody, DeviceState, HeartbeatBody, ResyncBody, Snapshot, Transition, WelcomeBody,
} from '../api/types'

/** Frames of the subprotocol `watchhouse.v1`, and the messages between the stream's worker and the page. */

export const subprotocol = 'watchhouse.v1'

export type AudioReport = 'ok' | 'blocked' | 'muted'

export type ClientFrame = ClientBody
export type WelcomeFrame = WelcomeBody
export type BatchFrame = BatchBody
export type DeviceFrame = DeviceBody
export type HeartbeatFrame = HeartbeatBody
export type ResyncFrame = ResyncBody
export type ServerFrame = WelcomeFrame | BatchFrame | DeviceFrame | HeartbeatFrame | ResyncFrame

/** Where the stream stands: only `live` lets the page say that there is nothing to do. */
export type Phase = 'connecting' | 'greeting' | 'snapshot' | 'replaying' | 'live'

export interface Pulse {
  phase: Phase
  /** Milliseconds since the last frame, at the time of posting; Infinity before the first. */
  age: number
  /** The hub's clock at the time of posting; 0 before the first frame. */
  serverMs: number
  /** Events still to be replayed. */
  backlog: number
  attempt: number
  /** What the hub says is out of order, by code. */
  degraded: readonly string[]
}

export type ToPage =
  | { m: 'welcome'; build: string; user: { name: string; role: string } }
  | { m: 'snapshot'; snapshot: Snapshot }
  | { m: 'events'; epoch: string; events: Transition[]; replayed: boolean }
  /** Transitions of before the snapshot, for the log only. */
  | { m: 'past'; epoch: string; events: Transition[] }
  | { m: 'devices'; devices: DeviceState[] }
  | { m: 'pulse'; pulse: Pulse }
  | { m: 'auth' }

export type ToWorker =
  | { m: 'start'; tab: string }
  | { m: 'kick' }
  | { m: 'seen'; seq: number }
  | { m: 'audio'; state: AudioReport }
  | { m: 'visible'; visible: boolean }
  | { m: 'stop' }

function numbers(frame: Record<string, unknown>, ...keys: string[]): boolean {
  return keys.every((key) => Number.isFinite(frame[key]))
}

const checks = new Map<unknown, (frame: Record<string, unknown>) => boolean>([
  ['welcome', (f) => typeof f.epoch === 'string' && numbers(f, 'head', 'server_ms')],
  ['b', (f) => typeof f.e === 'string' && numbers(f, 'f', 'l') && (f.ev == null || Array.isArray(f.ev))],
  ['dev', (f) => f.dev == null || Array.isArray(f.dev)],
  ['hb', (f) => numbers(f, 'head', 'server_ms') && (f.degraded == null || Array.isArray(f.degraded))],
  ['resync', () => true],
])

/** Gives the frame, or null for anything that is not one: an unknown frame type is skipped, never fatal. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text)
    if (typeof frame !== 'object' || frame === null) return null
    const fields = frame as Record<string, unknown>
    return checks.get(fields.t)?.(fields) ? (frame as ServerFrame) : null
  } catch {
    return null
  }
}
