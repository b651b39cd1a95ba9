import { baselineOf, shapes } from '../frame/shapes'
import type { Marker } from './adapter'
import type { Layer } from './spots'

/** Small grey shapes, one for each layer, in a box of 24: normal things tell what they are and no more. */
export const glyphs: Record<Layer, string> = {
  button: 'M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z',
  house: 'M12 4 20 11v8H4v-8z',
  point: 'M6 6h12v12H6z',
  recyclables: 'M12 5 19 18H5z',
  garage: 'M4 9h16v9H4zM6 6h12v3H6z',
  other: 'M12 5 19 12 12 19 5 12z',
}

const svg = 'http://www.w3.org/2000/svg'

/** The picture of a marker. Classes only: the content policy allows no style in markup. */
export function drawMarker(marker: Marker): SVGElement {
  const root = document.createElementNS(svg, 'svg')
  root.setAttribute('viewBox', '0 0 24 24')
  root.setAttribute('aria-hidden', 'true')
  const { priority } = marker
  root.append(draw('path', { d: priority ? shapes[priority] : glyphs[marker.layer] }))
  const text = priority ? String(priority) : marker.count > 1 ? String(marker.count) : ''
  if (text) root.append(draw('text', { x: '12', y: String(priority ? baselineOf(priority) : 15.6) }, text))
  return root
}

function draw(name: 'path' | 'text', attributes: Record<string, string>, text = ''): SVGElement {
  const element = document.createElementNS(svg, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.textContent = text
  return element
}

export function classOf(marker: Marker): string {
  const kind = marker.priority ? `abnormal p${marker.priority}` : 'normal'
  return ['spot', kind, marker.acked && 'acked', marker.doubtful && 'doubtful', marker.selected && 'selected', marker.count > 1 && 'many']
    .filter(Boolean).join(' ')
}
