// The mock's side of the stream, with the faults that a real hub hardly ever shows.
import { WebSocketServer } from 'ws'

export class StreamHub {
  constructor(world, { heartbeat = 5000 } = {}) {
    this.world = world
    this.heartbeat = heartbeat
    this.clients = new Set()
    this.build = 'mock-1'
    this.ringMin = 0
    this.received = []
    /** Codes of what is out of order, as a heartbeat tells them. */
    this.degraded = []
    /** 'black-hole': nothing goes out, connections stay; 'refuse': no new ones; 'drop': transitions are numbered but not sent. */
    this.fault = ''
    this.server = new WebSocketServer({ noServer: true, handleProtocols: (offered) => offered.has('watchhouse.v1') && 'watchhouse.v1' })
    world.listeners.add((event) => this.broadcast([event]))
    world.deviceListeners.add((devices) => this.all({ t: 'dev', ms: world.now(), dev: devices }))
    this.timer = setInterval(() => this.beat(), heartbeat)
  }

  beat() {
    this.all({ t: 'hb', head: this.world.seq, server_ms: this.world.now(), ...(this.degraded.length ? { degraded: this.degraded } : {}) })
  }

  upgrade(request, socket, head, user) {
    if (this.fault === 'refuse') return socket.destroy()
    if (this.fault === 'black-hole') return undefined // the handshake never ends
    this.server.handleUpgrade(request, socket, head, (client) => this.accept(client, user))
  }

  accept(client, user) {
    client.user = user
    client.following = false
    this.clients.add(client)
    client.on('close', () => this.clients.delete(client))
    client.on('message', (data) => this.onFrame(client, JSON.parse(String(data))))
  }

  onFrame(client, frame) {
    this.received.push(frame)
    if (frame.t === 'hello') this.greet(client, frame)
    else if (frame.t === 'resume') this.resume(client, frame)
  }

  greet(client, frame) {
    const { world } = this
    const ok = frame.epoch === world.epoch && frame.seq >= this.ringMin && frame.seq <= world.seq
    this.send(client, {
      t: 'welcome', epoch: world.epoch, head: world.seq, ring_min: this.ringMin, server_ms: world.now(), hb_ms: this.heartbeat,
      build: this.build, resume: ok ? 'ok' : 'snapshot', user: { name: client.user.name, role: client.user.role },
    })
    if (ok) this.replay(client, frame.seq)
  }

  resume(client, frame) {
    if (frame.epoch !== this.world.epoch || frame.seq < this.ringMin) return this.send(client, { t: 'resync', snapshot: true })
    this.replay(client, frame.seq)
  }

  replay(client, after) {
    client.following = true
    const events = this.world.transitions.filter((event) => event.seq > after)
    if (events.length > 0) this.send(client, this.batch(events, { r: 1 }))
  }

  batch(events, extra = {}) {
    return { t: 'b', e: this.world.epoch, f: events[0].seq, l: events.at(-1).seq, ms: this.world.now(), ...extra, ev: events }
  }

  broadcast(events) {
    if (this.fault === 'drop') return
    for (const client of this.clients) if (client.following) this.send(client, this.batch(events))
  }

  all(frame) {
    for (const client of this.clients) this.send(client, frame)
  }

  send(client, frame) {
    if (this.fault !== 'black-hole') client.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** Cuts every connection without a goodbye. */
  cut() {
    for (const client of this.clients) client.terminate()
  }

  close() {
    clearInterval(this.timer)
    this.cut()
    this.server.close()
  }
}
