import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { prefetch } from '../../src/screens'

describe('what comes in pieces', () => {
  it('is named in one place, so that all of it is fetched after sign-in', () => {
    const found = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(vue|ts)$/.test(name) && name !== 'screens.ts' && name !== 'api/schema.d.ts')
      .filter((name) => /\bimport\(/.test(readFileSync(`src/${name}`, 'utf8')))
    expect(found).toEqual([])
  })

  it('is fetched one by one, and again when it could not be', async () => {
    const log: string[] = []
    const waiting: (() => void)[] = []
    let down = true
    const piece = (name: string) => async () => {
      log.push(name)
      if (name === 'b' && down) throw new Error('no network')
    }
    prefetch([piece('a'), piece('b'), piece('c')], { idle: (task) => queueMicrotask(task), later: (_, task) => void waiting.push(task) })
    await new Promise((resolve) => setTimeout(resolve))
    expect(log).toEqual(['a', 'b'])
    down = false
    waiting.shift()?.()
    await new Promise((resolve) => setTimeout(resolve))
    expect(log).toEqual(['a', 'b', 'b', 'c'])
  })
})
