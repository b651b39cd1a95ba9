// After a build: lists the licences, compresses what compresses, and fails when the page has grown over its budget.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)
const kilobyte = 1024

/** Budgets in kB after gzip; `first` is what /live needs before it shows anything. */
const budgets = { first: 150, chart: 30, map: 60, english: 12, all: 450 }

await writeFile(new URL('licences.txt', dist), await licences())
const sizes = await compress()
const first = [...(await firstLoad()), ...Object.keys(sizes).filter((name) => /^assets\/worker-/.test(name))]
const used = {
  first: sum(first),
  chart: sum(Object.keys(sizes).filter((name) => /^assets\/SeriesChart-/.test(name))),
  map: sum(Object.keys(sizes).filter((name) => /^assets\/(leaflet|datum|tiles)-/.test(name))),
  english: sum(Object.keys(sizes).filter((name) => /^assets\/en-/.test(name))),
  all: sum(Object.keys(sizes)),
}
let over = false
for (const [name, limit] of Object.entries(budgets)) {
  const size = used[name] / kilobyte
  console.log(`${name.padEnd(8)} ${size.toFixed(1).padStart(6)} of ${limit} kB gz`)
  over ||= size > limit || used[name] === 0
}
if (over) {
  console.error('over budget, or a part of it is missing from the build')
  process.exit(1)
}

async function compress() {
  const found = {}
  for (const name of await readdir(dist, { recursive: true })) {
    if (!/\.(js|css|html|svg|txt)$/.test(name)) continue
    const packed = gzipSync(await readFile(new URL(name, dist)), { level: 9 })
    await writeFile(new URL(`${name}.gz`, dist), packed)
    found[name] = packed.length
  }
  return found
}

/** What index.html names, and what those scripts import before they run. */
async function firstLoad() {
  const html = await readFile(new URL('index.html', dist), 'utf8')
  const seen = new Set(['index.html'])
  const queue = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])
  while (queue.length > 0) {
    const name = queue.pop()
    if (seen.has(name)) continue
    seen.add(name)
    if (!name.endsWith('.js')) continue
    const code = await readFile(new URL(name, dist), 'utf8')
    for (const match of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) queue.push(`assets/${match[1]}`)
  }
  return [...seen]
}

function sum(names) {
  return names.reduce((total, name) => total + (sizes[name] ?? 0), 0)
}

/** Every package that may be part of the page, with its licence text. */
async function licences() {
  const lock = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8'))
  const parts = []
  for (const [path, entry] of Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path || entry.dev || entry.optional) continue
    parts.push(`${path.replace(/^.*node_modules\//, '')} ${entry.version} (${entry.license ?? 'see below'})\n\n${await licenceText(path)}`)
  }
  return parts.join(`\n${'-'.repeat(80)}\n`)
}

async function licenceText(path) {
  const folder = new URL(`${path}/`, root)
  const names = await readdir(folder).catch(() => [])
  const name = names.find((candidate) => /^licen[cs]e/i.test(candidate))
  return name ? readFile(new URL(name, folder), 'utf8') : ''
}
