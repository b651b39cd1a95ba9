import type { SideRecord } from '../api/types'

/** What is known of a message that could not be taken or stored. The record's form is open: what is missing is empty. */
export interface Letter {
  n: number
  at: number
  stage: string
  reason: string
  device: string
  topic: string
  payload: string
  /** Of the message, what is at fault; empty = all of it. */
  part: string
  redrivenAt: number
}

const excerpt = 4_000

export function letterOf({ n, at, record, redriven_at: redrivenAt = 0 }: SideRecord): Letter {
  const fields = (typeof record === 'object' && record !== null ? record : { payload: record }) as Record<string, unknown>
  const text = (...names: string[]): string => names.map((name) => fields[name]).find((value): value is string => typeof value === 'string') ?? ''
  return {
    n, at, redrivenAt, stage: text('stage'), reason: text('reason'), device: text('device', 'client'), topic: text('topic'),
    payload: payloadOf(fields), part: Array.isArray(fields.metrics) ? fields.metrics.join(', ') : '',
  }
}

/** The payload as it was given; bytes that are no text come in base64. */
function payloadOf(fields: Record<string, unknown>): string {
  const { payload, message } = fields
  const given = payload ?? fields.payload_base64 ?? message
  if (given === undefined || given === null) return ''
  return (typeof given === 'string' ? given : JSON.stringify(given)).slice(0, excerpt)
}
