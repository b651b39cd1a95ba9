/** Routes that the hub's description does not hold yet, in the form of the generated ones. */

export type StreamName = 'wet' | 'dry' | 'recyclable' | 'hazardous'

export interface PointStream {
  stream: StreamName
  fill_pct: number
  at: number
  rate_pct_h: number
  /** When it will be full, Unix ms; 0 = not known. */
  full_at: number
  emptied_at: number
}

export interface PointLevels {
  device: string
  streams: PointStream[]
}

interface Answer<T> {
  responses: { 200: { content: { 'application/json': T } } }
}

/** What an import did. */
export interface ImportResult {
  added: number
  changed: number
  secrets: Record<string, string>
}

export interface AgreedPaths {
  '/registry/devices.csv': { post: Answer<ImportResult> }
  '/points': { get: Answer<{ items: PointLevels[]; next: string }> }
}
