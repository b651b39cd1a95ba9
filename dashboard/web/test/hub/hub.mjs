// The real program as a child process, and real MQTT clients beside it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const program = resolve(process.env.WATCHHOUSE_PROGRAM ?? '../../bin/watchhouse')

export const password = 'correct horse battery staple'
export const secret = 'a-device-secret-of-a-test'

const env = { ...process.env, WATCHHOUSE_ADMIN_PASSWORD: password }
delete env.WATCHHOUSE_PROGRAM

/** A folder that is gone after the test. */
export async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'watchhouse-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Registers devices in the data folder of a stopped hub. */
export async function register(data, kind, ...ids) {
  for (const id of ids) {
    await run(program, ['registry', 'add', '--data', data, '--id', id, '--kind', kind, '--secret', secret], { env })
  }
}

/** Starts `serve`; the addresses are those of its ready line. */
export async function serve(data, http = '127.0.0.1:0', mqtt = '127.0.0.1:0') {
  const child = spawn(program, ['serve', '--data', data, '--http', http, '--mqtt', mqtt], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await firstLine(child, (text) => text.startsWith('{'))
  const ready = JSON.parse(line)
  return { child, http: ready.http, mqtt: ready.mqtt, url: `http://${ready.http}`, kill: () => end(child, 'SIGKILL'), stop: () => end(child, 'SIGTERM') }
}

/** Starts `serve` with nothing but encrypted listeners, and makes certificates for it and for devices. */
export async function serveEncrypted(path, data, ...devices) {
  const dir = join(path, 'tls')
  await run(program, ['tls', 'init', '--dir', dir])
  for (const id of devices) await run(program, ['tls', 'device', '--dir', dir, '--id', id])
  const config = join(path, 'hub.yaml')
  await writeFile(config, [
    'http: 127.0.0.1:0', 'mqtt: {tcp: "", tls: "127.0.0.1:0"}', 'tls:',
    `  cert_file: ${join(dir, 'server.crt')}`, `  key_file: ${join(dir, 'server.key')}`, `  client_ca_file: ${join(dir, 'ca.crt')}`, '',
  ].join('\n'))
  const child = spawn(program, ['serve', '--config', config, '--data', data], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = JSON.parse(await firstLine(child, (text) => text.startsWith('{')))
  return { child, dir, mqtt: ready.mqtt_tls, url: `https://${ready.http}`, stop: () => end(child, 'SIGTERM') }
}

/** Presses a button that signs in with its certificate. */
export async function pressEncrypted(hub, device, seq) {
  const [host, port] = hub.mqtt.split(':')
  const own = ['--cafile', join(hub.dir, 'ca.crt'), '--cert', join(hub.dir, `device-${device}.crt`), '--key', join(hub.dir, `device-${device}.key`)]
  const message = ['-t', `wh/v1/${device}/event`, '-m', JSON.stringify({ type: 'sos', boot: 1, seq })]
  await run('mosquitto_pub', ['-h', host, '-p', port, '-V', '5', '-q', '1', '-i', device, '-u', device, ...own, ...message], { timeout: 10_000 })
}

/** Starts `demo` and reads address and sign-in from what it prints for people. */
export async function demo(path) {
  const child = spawn(program, ['demo', '--data', join(path, 'demo'), '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const said = {}
  await firstLine(child, (text) => {
    const [, key, value] = /^\s+(page|password)\s+(\S+)/.exec(text) ?? []
    if (key) said[key] = value
    return said.page && said.password
  })
  return { child, url: said.page, password: said.password, stop: () => end(child, 'SIGTERM') }
}

/** Presses a button with mosquitto_pub, again and again until it is acknowledged, as a button does. */
export async function press(mqtt, device, seq) {
  const [host, port] = mqtt.split(':')
  const payload = JSON.stringify({ type: 'sos', boot: 1, seq })
  for (;;) {
    try {
      await run('mosquitto_pub', ['-h', host, '-p', port, '-V', '5', '-q', '1', '-i', device, '-u', device, '-P', secret, '-t', `wh/v1/${device}/event`, '-m', payload], { timeout: 5_000 })
      return
    } catch {
      await new Promise((after) => setTimeout(after, 200))
    }
  }
}

async function firstLine(child, wanted) {
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    if (wanted(line)) {
      child.stdout.resume()
      return line
    }
  }
  throw new Error(`${program} ended before it was ready`)
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
