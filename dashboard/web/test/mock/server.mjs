// A hub made of nothing: the built page, the REST interface and the stream over a world in memory. For development and
// for the page's own browser tests; it promises only what the page may rely on.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deadLetters, fleetRoutes, Registry } from './fleet.mjs'
import { StreamHub } from './stream.mjs'
import { World } from './world.mjs'

const dist = new URL('../../dist/', import.meta.url)
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' }
const users = {
  li: { name: 'li', role: 'operator', permissions: ['view', 'handle', 'reveal'] },
  zhang: { name: 'zhang', role: 'supervisor', permissions: ['view', 'handle', 'review', 'reveal'] },
  wei: { name: 'wei', role: 'maintainer', permissions: ['view', 'devices', 'journal'] },
  gao: { name: 'gao', role: 'admin', permissions: ['view', 'handle', 'review', 'reveal', 'devices', 'users', 'journal'] },
  wall: { name: 'wall', role: 'viewer', permissions: ['view'] },
}
export const password = 'right horse'

export async function startMock({ port = 0, world = new World(), heartbeat } = {}) {
  const stream = new StreamHub(world, { heartbeat })
  const mock = { world, stream, sessions: new Map(), requests: [], fault: {}, revealed: [], series: flatSeries, secure: true, basemap: { url: '', crs: 'wgs84' }, registry: new Registry(world), deadletters: deadLetters(), rejects: [], health: { ready: true, lag: { messages: 0, seconds: 0 } } }
  const server = createServer((request, response) => void answer(mock, request, response))
  server.on('upgrade', (request, socket, head) => {
    const user = sessionOf(mock, request)
    if (!user) return socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
    socket.on('error', () => {})
    stream.upgrade(request, socket, head, user)
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  mock.url = `http://127.0.0.1:${server.address().port}`
  mock.close = () => {
    stream.close()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return mock
}

function sessionOf(mock, request) {
  return mock.sessions.get(/wh_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1])
}

function contentPolicy(host) {
  return "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    + `connect-src 'self' ws://${host} wss://${host}; font-src 'self'; media-src 'self'; manifest-src 'self'; `
    + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

async function answer(mock, request, response) {
  const url = new URL(request.url, 'http://mock')
  if (!url.pathname.startsWith('/api/')) return page(request, url.pathname, response)
  const body = await readBody(request)
  mock.requests.push({ method: request.method, path: url.pathname, headers: request.headers, body })
  const path = url.pathname.replace('/api/v1', '')
  const fault = Object.entries(mock.fault).find(([start]) => path.startsWith(start))?.[1]
  if (fault === 'hang') return
  if (fault) return problem(response, fault.status, fault)
  const route = routes.find(([method, pattern]) => method === request.method && pattern.test(path))
  if (!route) return problem(response, 404, { code: 'not_found', detail: path })
  const user = sessionOf(mock, request)
  if (!user && path !== '/login') return problem(response, 401, { code: 'unauthorized', detail: 'sign in' })
  route[2]({ mock, user, request, response, body, query: url.searchParams, path, id: decodeURIComponent(path.split('/')[2] ?? ''), action: path.split('/')[3] })
}

const routes = [
  ...fleetRoutes({ json, problem }),
  ['POST', /^\/login$/, login],
  ['POST', /^\/logout$/, logout],
  ['GET', /^\/me$/, ({ mock, response, user }) => json(response, 200, { ...user, secure: mock.secure })],
  ['GET', /^\/health$/, ({ mock, response }) => json(response, 200, mock.health)],
  ['GET', /^\/snapshot$/, ({ mock, response }) => json(response, 200, mock.world.snapshot())],
  ['GET', /^\/incidents$/, ({ mock, response, query }) => json(response, 200, { items: [...mock.world.incidents.values()].filter((i) => i.state === query.get('state')), next: '' })],
  ['GET', /^\/incidents\/[^/]+$/, incident],
  ['POST', /^\/incidents\/[^/]+\/\w+$/, command],
  ['GET', /^\/devices\/[^/]+$/, device],
  ['GET', /^\/devices\/[^/]+\/metrics$/, ({ mock, response, id }) => json(response, 200, { items: Object.keys(mock.world.devices.get(id)?.metrics ?? {}), next: '' })],
  ['GET', /^\/devices\/[^/]+\/series$/, ({ mock, request, response, id, query }) => {
    mock.lastSeries = request.url
    json(response, 200, mock.series(id, query))
  }],
  ['GET', /^\/people\/[^/]+$/, ({ response, id }) => json(response, 200, { id, masked_name: '王**', masked_phone: '138****1234' })],
  ['POST', /^\/people\/[^/]+\/reveal$/, reveal],
]

function login({ mock, response, body }) {
  const user = users[body.user]
  if (!user || body.password !== password) return problem(response, 401, { code: 'unauthorized', detail: 'wrong name or password' })
  const token = randomUUID()
  mock.sessions.set(token, user)
  response.setHeader('Set-Cookie', `wh_session=${token}; HttpOnly; SameSite=Strict; Path=/`)
  json(response, 200, { ...user, secure: mock.secure })
}

function logout({ mock, request, response }) {
  mock.sessions.delete(/wh_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1])
  response.writeHead(204).end()
}

function incident({ mock, response, id }) {
  const found = mock.world.incidents.get(id)
  if (!found) return problem(response, 404, { code: 'not_found', detail: 'no such incident' })
  json(response, 200, { incident: found, timeline: mock.world.timeline(id) })
}

function command({ mock, request, response, user, body, id, action }) {
  if (!user.permissions.includes('handle')) return problem(response, 403, { code: 'forbidden', detail: 'not your role' })
  const [status, result] = mock.world.command(id, action, user.name, body ?? {}, {
    key: request.headers['idempotency-key'], ifMatch: request.headers['if-match'],
  })
  if (status === 200) json(response, 200, result)
  else problem(response, status, result)
}

function device({ mock, response, id }) {
  const found = mock.world.devices.get(id)
  if (found) json(response, 200, found)
  else problem(response, 404, { code: 'not_found', detail: 'no such device' })
}

function reveal({ mock, response, user, id }) {
  mock.revealed.push({ person: id, by: user.name })
  json(response, 200, {
    name: '王桂芬', phone: '13800001234', address: '东波路 12 弄 302 室', note: '独居，听力不好', contacts: [{ name: '王强', relation: '儿子', phone: '13900005678' }],
  })
}

/** A day of readings each ten minutes, with eight silent hours in it. */
function flatSeries(id, query) {
  const [from, to] = [Number(query.get('from')), Number(query.get('to'))]
  const every = Math.max(600_000, Math.round((to - from) / 300))
  const hole = [from + (to - from) * 0.4, from + (to - from) * 0.75]
  const points = []
  for (let ts = from; ts < to; ts += every) {
    if (ts > hole[0] && ts < hole[1]) continue
    const mean = 70 + 20 * Math.sin(ts / 1.2e7)
    points.push({ ts, min: mean - 2, max: mean + 2, mean, n: 6 })
  }
  return { device: id, metric: query.get('metric'), from, to, every_ms: every, points }
}

async function page(request, path, response) {
  const name = extname(path) ? path.slice(1) : 'index.html'
  const file = await readFile(new URL(name, dist)).catch(() => null)
  response.setHeader('Content-Security-Policy', contentPolicy(request.headers.host))
  response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.writeHead(file ? 200 : 404).end(file ?? `not built: ${fileURLToPath(dist)}`)
}

async function readBody(request) {
  let text = ''
  for await (const chunk of request) text += chunk
  return text && request.headers['content-type'] !== 'text/csv' ? JSON.parse(text) : text || undefined
}

function json(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body))
}

function problem(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title: 'refused', detail: '', ...body, status, request_id: 'req-7F3A' }))
}
