import type { DeviceState } from '../api/types'
import type { ToPage } from './protocol'

const frameMs = 16
const hiddenMs = 1000

/**
 * Hands messages to the page at most once a frame, once a second while the page is hidden, and at once when a life or
 * high-priority incident is among them. Device states are merged: the last value wins.
 */
export class Outbox {
  private queue: ToPage[] = []
  private devices = new Map<string, DeviceState>()
  private timer: ReturnType<typeof setTimeout> | null = null
  visible = true

  constructor(private readonly post: (messages: ToPage[]) => void) {}

  push(message: ToPage): void {
    if (message.m === 'devices') for (const device of message.devices) this.devices.set(device.id, device)
    else this.queue.push(message)
    if (urgent(message)) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), this.visible ? frameMs : hiddenMs)
  }

  flush(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    const messages = this.queue
    this.queue = []
    if (this.devices.size > 0) messages.push({ m: 'devices', devices: [...this.devices.values()] })
    this.devices.clear()
    if (messages.length > 0) this.post(messages)
  }
}

function urgent(message: ToPage): boolean {
  if (message.m === 'events') return message.events.some((event) => event.incident.priority <= 2)
  return message.m === 'auth' || message.m === 'snapshot'
}
