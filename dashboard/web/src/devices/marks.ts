import type UPlot from 'uplot'
import type { Incident } from '../api/types'
import { shapes } from '../frame/shapes'

const size = 16

/** Draws each incident as its priority's shape on the time axis, where it was raised. */
export function drawIncidents(plot: UPlot, incidents: readonly Incident[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot
  const scale = devicePixelRatio * (size / 24)
  for (const { priority, raised_at: at } of incidents) {
    const x = plot.valToPos(at / 1000, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.save()
    ctx.translate(x - 12 * scale, bbox.top + bbox.height - 26 * scale)
    ctx.scale(scale, scale)
    const shape = new Path2D(shapes[priority])
    ctx.fillStyle = colour(`--p${priority}`)
    ctx.fill(shape)
    ctx.strokeStyle = colour('--ink')
    ctx.lineWidth = 1.2
    ctx.stroke(shape)
    ctx.fillStyle = colour(`--p${priority}-text`)
    ctx.font = `700 14px ${colour('--font')}`
    ctx.textAlign = 'center'
    ctx.textBaseline = 'alphabetic'
    ctx.fillText(String(priority), 12, priority === 2 ? 19.5 : 17)
    ctx.restore()
  }
}
