/**
 * One tab of a browser sounds. With Web Locks (https, localhost) the lock is the leadership; on plain http tabs announce
 * themselves and the lowest name leads. When in doubt two tabs sound: silence would be worse.
 */

const announceEvery = 1_000
const forgetAfter = 3_500

export class SoundLeader {
  private leading = false
  private channel: BroadcastChannel | null = null
  private readonly heard = new Map<string, number>()

  constructor(private readonly name: string, private readonly onChange: () => void) {}

  isLeader(): boolean {
    return this.leading
  }

  /** Stands for election; called once, when this tab is able to sound. */
  stand(): void {
    if (navigator.locks) void this.waitForLock()
    else if (typeof BroadcastChannel === 'function') this.announce()
    else this.lead(true)
  }

  private async waitForLock(): Promise<void> {
    await navigator.locks.request('watchhouse-sound', () => {
      this.lead(true)
      return new Promise<void>(() => {}) // held until the tab closes
    })
  }

  private announce(): void {
    this.channel = new BroadcastChannel('watchhouse-sound')
    this.channel.onmessage = (event) => {
      this.heard.set(String(event.data), Date.now())
      this.count()
    }
    const speak = () => {
      this.channel?.postMessage(this.name)
      this.count()
    }
    setInterval(speak, announceEvery)
    speak()
  }

  private count(): void {
    for (const [name, at] of this.heard) if (Date.now() - at > forgetAfter) this.heard.delete(name)
    this.lead([...this.heard.keys()].every((name) => this.name < name))
  }

  private lead(leading: boolean): void {
    if (leading === this.leading) return
    this.leading = leading
    this.onChange()
  }
}
