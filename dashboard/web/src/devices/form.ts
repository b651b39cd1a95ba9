import type { ApiError } from '../api/client'
import type { DeviceFields, Registration } from '../api/types'

export const textFields = ['name', 'place', 'address', 'settings', 'gateway', 'person'] as const
export const numberFields = ['lat', 'lon', 'report_interval_s'] as const
export const choiceFields = ['kind', 'model', 'area', 'power'] as const
export type Field = 'id' | 'secret' | (typeof textFields)[number] | (typeof numberFields)[number] | (typeof choiceFields)[number]

/** A registration as it is typed in: every field is text until it is sent. */
export type Form = Record<Field, string> & { out_of_service: boolean }
export type Faults = Partial<Record<Field | 'form', string>>

const fields: readonly Field[] = ['id', ...choiceFields, ...textFields, ...numberFields, 'secret']

export function formOf(known: Registration | null): Form {
  const text = (value: string | number | null | undefined): string => (value == null || value === 0 ? '' : String(value))
  return {
    id: text(known?.id), kind: text(known?.kind), model: text(known?.model), area: text(known?.area), power: text(known?.power), name: text(known?.name),
    place: text(known?.place), address: text(known?.address), settings: text(known?.settings), gateway: text(known?.gateway), person: text(known?.person),
    lat: known?.lat == null ? '' : String(known.lat), lon: known?.lon == null ? '' : String(known.lon), report_interval_s: text(known?.report_interval_s),
    secret: '', out_of_service: known?.out_of_service ?? false,
  }
}

/** What the hub is sent: fields that were left empty are absent. */
export function bodyOf(form: Form): DeviceFields {
  const body: Record<string, unknown> = { out_of_service: form.out_of_service }
  for (const field of [...choiceFields, ...textFields]) if (form[field].trim()) body[field] = form[field].trim()
  for (const field of numberFields) if (form[field].trim()) body[field] = Number(form[field])
  if (form.secret) body.secret = form.secret
  return body as DeviceFields
}

const idForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** Faults that need no question to the hub, as keys of words. */
export function check(form: Form, isNew: boolean): Faults {
  const faults: Faults = {}
  if (isNew && !idForm.test(form.id)) faults.id = 'form.fault.id'
  if (!form.kind && !form.model) faults.kind = 'form.fault.kind'
  checkNumber(form, 'lat', -90, 90, faults)
  checkNumber(form, 'lon', -180, 180, faults)
  checkNumber(form, 'report_interval_s', 1, 2_592_000, faults)
  if (!form.lat.trim() !== !form.lon.trim()) faults[form.lat.trim() ? 'lon' : 'lat'] = 'form.fault.both'
  if (form.secret && (form.secret.length < 8 || form.secret.length > 256)) faults.secret = 'form.fault.secret'
  return faults
}

function checkNumber(form: Form, field: (typeof numberFields)[number], low: number, high: number, faults: Faults): void {
  const text = form[field].trim()
  const value = Number(text)
  if (text && !(value >= low && value <= high)) faults[field] = 'form.fault.range'
}

/** The hub's faults at the fields they are about; what belongs to none goes to the form as a whole. */
export function faultsOf(error: ApiError): Faults {
  if (error.code === 'network') return { form: 'form.fault.network' }
  if (error.code === 'exists') return { id: 'form.fault.exists' }
  const faults: Faults = {}
  for (const { location = '', message } of error.problem.errors ?? []) {
    const field = fields.find((name) => location === `body.${name}`) ?? 'form'
    faults[field] ??= message
  }
  if (Object.keys(faults).length === 0) faults.form = `problem.${error.code}`
  return faults
}

export function firstFault(faults: Faults): Field | undefined {
  return fields.find((field) => faults[field])
}
