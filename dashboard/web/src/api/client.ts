import { uuid } from './id'
import { ApiError, request } from './request'
import type { AreaFeature, DeviceFields, Disposition, Incident, JournalEntry, NewDevice, Series, SideRecord, TimelineEntry } from './types'

export { ApiError }
export const newKey = uuid

export type Action = 'acknowledge' | 'unacknowledge' | 'note' | 'resolve' | 'close' | 'reopen'

export interface Command {
  action: Action
  text?: string
  disposition?: Disposition | ''
  /** The version that the operator saw; sent where the workflow must not have moved since. */
  version?: number
  /** The same for each retry of one intention. */
  key: string
}

/** The hub's REST interface, typed by its own description. Every method rejects with an ApiError. */
export class Client {
  /** Called when the session of this browser is over. */
  onUnauthorized: () => void = () => {}

  login = (user: string, password: string) => request('post', '/login', { body: { user, password } })
  logout = () => this.guard(request('post', '/logout', {}))
  me = () => this.guard(request('get', '/me', {}))

  async incidents(query: { state: 'all' | 'closed' | 'open'; device?: string; limit: number }): Promise<Incident[]> {
    return (await this.guard(request('get', '/incidents', { query }))).items as Incident[]
  }

  async incident(id: string): Promise<{ incident: Incident; timeline: TimelineEntry[] }> {
    const story = await this.guard(request('get', '/incidents/{id}', { path: { id } }))
    return { incident: story.incident as Incident, timeline: story.timeline }
  }

  /** Acknowledge and note need no version: they are right whatever happened since. */
  async command(id: string, { action, text, disposition, version, key }: Command): Promise<Incident> {
    const headers: Record<string, string> = { 'Idempotency-Key': key }
    if (version !== undefined) headers['If-Match'] = `"${version}"`
    const body = { ...(text ? { text } : {}), ...(disposition ? { disposition } : {}) }
    return (await this.guard(request('post', `/incidents/{id}/${action}`, { path: { id }, headers, body }))) as Incident
  }

  device = (id: string) => this.guard(request('get', '/devices/{id}', { path: { id } }))
  metrics = (id: string) => this.guard(request('get', '/devices/{id}/metrics', { path: { id } }))

  series = (id: string, query: { metric: string; from: number; to: number; every: number }): Promise<Series> =>
    this.guard(request('get', '/devices/{id}/series', { path: { id }, query }))

  registration = (id: string) => this.guard(request('get', '/devices/{id}/registration', { path: { id } }))
  addDevice = (body: NewDevice) => this.guard(request('post', '/devices', { body }))
  putDevice = (id: string, body: DeviceFields) => this.guard(request('put', '/devices/{id}', { path: { id }, body }))
  deleteDevice = (id: string) => this.guard(request('delete', '/devices/{id}', { path: { id } }))
  renewSecret = (id: string) => this.guard(request('post', '/devices/{id}/secret', { path: { id } }))

  /** Registers the devices of a CSV file, all or none; faults come with row and column. */
  importDevices = (csv: string) => this.guard(request('post', '/registry/devices.csv', { csv }))

  health = () => this.guard(request('get', '/health', {}))
  catalog = () => this.guard(request('get', '/catalog', {}))
  rules = async () => (await this.guard(request('get', '/rules', {}))).items
  basemap = () => this.guard(request('get', '/map/basemap', {}))
  areaMap = async (): Promise<AreaFeature[]> =>
    (await this.guard(request('get', '/areas/map', {}))).features.map(({ properties, geometry }) => ({ properties, geometry: geometry as AreaFeature['geometry'] }))

  points = async () => (await this.guard(request('get', '/points', {}))).items

  journal = async (query: { device: string; lane: JournalEntry['lane']; limit: number }): Promise<JournalEntry[]> =>
    (await this.guard(request('get', '/journal', { query }))).items

  side = (list: 'deadletters' | 'rejects', query: { cursor?: string; limit: number }): Promise<{ items: SideRecord[]; next: string }> =>
    this.guard(request('get', `/journal/${list}`, { query }))

  redrive = (n: number) => this.guard(request('post', '/journal/deadletters/{n}/redrive', { path: { n } }))

  person = (id: string) => this.guard(request('get', '/people/{id}', { path: { id } }))

  /** Personal data in clear; the hub writes down who asked, and for which incident. */
  reveal = (id: string, incident: string) =>
    this.guard(request('post', '/people/{id}/reveal', { path: { id }, body: incident ? { incident } : {} }))

  private async guard<T>(result: Promise<T>): Promise<T> {
    try {
      return await result
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) this.onUnauthorized()
      throw error
    }
  }
}

