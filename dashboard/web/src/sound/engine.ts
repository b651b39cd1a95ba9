import { patterns, render, type PatternName } from './patterns'

/** Enough for the fifth harmonic; a minute of silence stays small. */
const bufferRate = 16_000
const normalLevel = 0.4
const loudLevel = 0.9

/** What tests and the console may look at. */
export interface SoundProbe {
  state(): AudioContextState | 'off'
  pattern(): PatternName | null
  loud(): boolean
  /** Root mean square of the last 2048 samples that went to the loudspeaker. */
  level(): number
  /** Epoch milliseconds of the last start of a pattern. */
  startedAt(): number
}

/** Plays one pattern at a time through Web Audio. Each pattern is a looping buffer: no timer of the page is involved. */
export class SoundEngine implements SoundProbe {
  private context: AudioContext | null = null
  private gain: GainNode | null = null
  private analyser: AnalyserNode | null = null
  private source: AudioBufferSourceNode | null = null
  private playing: PatternName | null = null
  private isLoud = false
  private started = 0
  private readonly buffers = new Map<PatternName, AudioBuffer>()
  /** Called when the browser lets sound through or stops it. */
  onStateChange: () => void = () => {}

  state(): AudioContextState | 'off' {
    return this.context?.state ?? 'off'
  }

  running(): boolean {
    return this.context?.state === 'running'
  }

  pattern(): PatternName | null {
    return this.playing
  }

  loud(): boolean {
    return this.isLoud
  }

  startedAt(): number {
    return this.started
  }

  level(): number {
    if (!this.analyser) return 0
    const samples = new Float32Array(this.analyser.fftSize)
    this.analyser.getFloatTimeDomainData(samples)
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  }

  /** Opens the audio device, or asks again; succeeds at once only within a gesture of the user. */
  async unlock(): Promise<boolean> {
    const context = this.open()
    if (context.state !== 'running') await Promise.race([context.resume().catch(() => undefined), wait(500)])
    return this.running()
  }

  /** Plays a pattern from its start, or goes on when it plays already; null is silence. */
  play(name: PatternName | null, loud = false): void {
    this.setLevel(loud)
    if (name === this.playing) return
    this.silence()
    this.playing = name
    if (name) this.begin(name)
  }

  /** The tone of the start of shift: once, at the level of an alarm. Resolves when it has ended. */
  async test(): Promise<void> {
    this.play(null)
    this.play('test')
    await wait(patterns.test.period)
    if (this.playing === 'test') this.play(null)
  }

  private open(): AudioContext {
    if (this.context) return this.context
    const context = new AudioContext({ latencyHint: 'interactive' })
    this.gain = context.createGain()
    this.analyser = context.createAnalyser()
    this.gain.gain.value = normalLevel
    this.gain.connect(this.analyser).connect(context.destination)
    context.onstatechange = () => this.onStateChange()
    this.context = context
    return context
  }

  private begin(name: PatternName): void {
    const context = this.open()
    const source = context.createBufferSource()
    source.buffer = this.buffer(context, name)
    source.loop = patterns[name].loop
    source.connect(this.gain!)
    source.start()
    this.source = source
    this.started = Date.now()
  }

  private silence(): void {
    this.source?.stop()
    this.source?.disconnect()
    this.source = null
  }

  private setLevel(loud: boolean): void {
    this.isLoud = loud
    if (this.gain) this.gain.gain.value = loud ? loudLevel : normalLevel
  }

  private buffer(context: AudioContext, name: PatternName): AudioBuffer {
    const known = this.buffers.get(name)
    if (known) return known
    const samples = render(patterns[name], bufferRate)
    const buffer = context.createBuffer(1, samples.length, bufferRate)
    buffer.copyToChannel(samples, 0)
    this.buffers.set(name, buffer)
    return buffer
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
