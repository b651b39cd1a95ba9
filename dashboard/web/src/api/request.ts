import type { Paths, Problem } from './types'

const prefix = '/api/v1'
const patience = 15_000

/** A refused or failed request. `code` is stable. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? problem.code)
    this.name = 'ApiError'
  }

  get code(): Problem['code'] {
    return this.problem.code
  }
}

type Method = 'get' | 'post' | 'put' | 'delete'
type Operation<P extends keyof Paths, M extends Method> = Paths[P] extends Record<M, infer O> ? O : never
type Json<R> = R extends { content: { 'application/json': infer T } } ? T : void
/** What an operation answers when all is well. */
type ResultOf<O> = O extends { responses: { 200: infer R } } ? Json<R> : O extends { responses: { 201: infer R } } ? Json<R> : void
type BodyOf<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : never
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Q : never

export interface Options<O> {
  path?: Record<string, string | number>
  query?: QueryOf<O>
  body?: BodyOf<O>
  /** Sent as it is, in place of a JSON body. */
  csv?: string
  headers?: Record<string, string>
}

/** Sends one request; rejects with an ApiError, also when there is no answer within 15 s. */
export async function request<P extends keyof Paths & string, M extends Method>(
  method: M, path: P, options: Options<Operation<P, M>>,
): Promise<ResultOf<Operation<P, M>>> {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(options.path?.[name] ?? '')))
  const response = await send(`${prefix}${address}${queryString(options.query)}`, {
    method: method.toUpperCase(),
    credentials: 'same-origin',
    cache: 'no-store',
    headers: { ...contentType(options), ...options.headers },
    body: options.csv ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
  })
  if (!response.ok) throw new ApiError(await readProblem(response))
  return (response.status === 204 ? undefined : await response.json()) as ResultOf<Operation<P, M>>
}

function contentType(options: { csv?: string; body?: unknown }): Record<string, string> {
  if (options.csv !== undefined) return { 'Content-Type': 'text/csv' }
  return options.body === undefined ? {} : { 'Content-Type': 'application/json' }
}

async function send(url: string, init: RequestInit): Promise<Response> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), patience)
  try {
    return await fetch(url, { ...init, signal: abort.signal })
  } catch {
    throw new ApiError({ status: 0, code: 'network' })
  } finally {
    clearTimeout(timer)
  }
}

function queryString(query: unknown): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value))
  const text = search.toString()
  return text && `?${text}`
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const problem = (await response.json()) as Partial<Problem>
    return { ...problem, status: response.status, code: problem.code ?? 'internal' }
  } catch {
    return { status: response.status, code: response.status === 401 ? 'unauthorized' : 'internal' }
  }
}
