// Generates src/api/schema.d.ts from the hub's description of its REST interface.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const source = new URL('../openapi.json', import.meta.url)
const target = new URL('../src/api/schema.d.ts', import.meta.url)

const text = `// Generated from openapi.json by scripts/api.mjs: do not edit.\n\n${astToString(await openapiTS(JSON.parse(await readFile(source, 'utf8'))))}`
const known = await readFile(target, 'utf8').catch(() => '')
if (text !== known) await writeFile(target, text)
