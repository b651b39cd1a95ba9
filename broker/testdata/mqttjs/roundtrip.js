// Publishes one event as a device and receives it as an observer, for every protocol version, transport and QoS.
// Arguments: the addresses of the broker.
import mqtt from 'mqtt'

const addresses = process.argv.slice(2)
const limit = AbortSignal.timeout(30_000)
limit.onabort = () => { throw new Error('no answer in 30 s') }

for (const protocolVersion of [4, 5]) {
  for (const url of addresses) {
    for (const qos of [0, 1, 2]) {
      await roundtrip(url, protocolVersion, qos)
    }
  }
}
process.exit(0)

async function roundtrip(url, protocolVersion, qos) {
  const options = { protocolVersion, reconnectPeriod: 0 }
  const eye = await mqtt.connectAsync(url, { ...options, username: 'eye', password: 'secret-eye', clientId: 'eye' })
  const button = await mqtt.connectAsync(url, { ...options, username: 'btn-1', password: 'secret-btn-1', clientId: 'btn-1' })
  const topic = 'wh/v1/btn-1/event'
  const payload = JSON.stringify({ type: 'test', via: url.split(':')[0], version: protocolVersion, qos })
  const [granted] = await eye.subscribeAsync(topic, { qos })
  if (granted.qos !== qos) throw new Error(`granted ${granted.qos}, wanted ${qos}`)
  const arrived = new Promise((resolve) => eye.once('message', (t, p, packet) => resolve([t, p.toString(), packet.qos])))
  await button.publishAsync(topic, payload, { qos })
  const got = await arrived
  if (got[0] !== topic || got[1] !== payload || got[2] !== qos) throw new Error(`got ${got}, wanted ${payload}`)
  await Promise.all([eye.endAsync(), button.endAsync()])
  console.log(payload)
}
