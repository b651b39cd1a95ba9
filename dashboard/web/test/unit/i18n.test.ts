import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import en from '../../src/i18n/en'
import zh from '../../src/i18n/zh-CN'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, path = ''): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([key, value]) => (
    typeof value === 'string' ? [[path + key, value] as const] : [...flat(value, `${path}${key}.`)])))
}

const [chinese, english] = [flat(zh), flat(en)]
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.includes('i18n/')).map((name) => readFileSync(`src/${name}`, 'utf8'))

describe('the words', () => {
  it('are the same keys in both languages, with the same values to fill in', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
    for (const [key, text] of chinese) expect(placeholders(english.get(key)!), key).toEqual(placeholders(text))
  })

  it('are all translated', () => {
    const same = [...chinese].filter(([key, text]) => english.get(key) === text)
    expect(same).toEqual([])
    for (const [key, text] of english) if (key !== 'bar.language') expect(text, key).not.toMatch(/[\u4e00-\u9fff]/)
  })

  it('are there for every key that the page names', () => {
    const named = sources.flatMap((text) => [
      ...text.matchAll(/\bt\(\s*'([\w.-]+)'/g), ...text.matchAll(/'((?:shift|dialog|devices|login|link|live)\.[\w.]+)'/g),
    ].map((match) => match[1]!))
    expect(named.length).toBeGreaterThan(150)
    for (const key of named) expect(chinese.has(key), key).toBe(true)
  })

  it('hold none that nobody says', () => {
    const all = sources.join('\n')
    const groups = [...all.matchAll(/\bt\(`([\w.]+)\.\$\{/g), ...all.matchAll(/\bword\('([\w.]+)',/g)].map((match) => `${match[1]}.`)
    expect([...chinese.keys()].filter((key) => !all.includes(`'${key}'`) && !groups.some((group) => key.startsWith(group)))).toEqual([])
  })

  it('are there for every group that the page completes at run time', () => {
    const groups = sources.flatMap((text) => [...text.matchAll(/\bt\(`([\w.]+)\.\$\{/g), ...text.matchAll(/\bword\('([\w.]+)',/g)].map((match) => match[1]!))
    for (const group of new Set(groups)) expect([...chinese.keys()].some((key) => key.startsWith(`${group}.`)), group).toBe(true)
  })
})
