// npm run mock [port]: the mock hub with a little life in it. Sign in as li, zhang or wall.
import { password, startMock } from './server.mjs'

const port = Number(process.argv[2] ?? process.env.PORT ?? 8099)
const mock = await startMock({ port })
console.log(`${mock.url}  user li, password "${password}"`)

let n = 0
setInterval(() => {
  const ids = [...mock.world.devices.keys()]
  mock.world.changeDevice(ids[n++ % ids.length], { last_seen: Date.now() })
}, 400)
setTimeout(() => mock.world.press('btn-127'), 3_000)
setInterval(() => mock.world.press(`btn-${String(1 + (n % 190)).padStart(3, '0')}`), 45_000)
process.on('SIGINT', () => void mock.close().then(() => process.exit(0)))
process.on('SIGTERM', () => void mock.close().then(() => process.exit(0)))
