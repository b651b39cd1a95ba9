// Empties dist before a build. dist/.keep stays: without it a clone that has no Node could not embed the folder.
import { mkdir, readdir, rm } from 'node:fs/promises'

const dist = new URL('../dist/', import.meta.url)
await mkdir(dist, { recursive: true })
for (const name of await readdir(dist)) {
  if (name !== '.keep') await rm(new URL(name, dist), { recursive: true })
}
