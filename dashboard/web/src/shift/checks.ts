export type Verdict = 'pass' | 'warn' | 'fail' | 'todo'

export interface Check {
  verdict: Verdict
  /** Message key and its values. */
  text: string
  values?: Record<string, string | number>
}

export type SoundAnswer = 'untested' | 'playing' | 'asked' | 'heard' | 'unheard' | 'blocked'

const oldestCore = 90
const clockTolerance = 5_000

export function soundCheck(answer: SoundAnswer): Check {
  switch (answer) {
    case 'heard': return { verdict: 'pass', text: 'shift.soundOk' }
    case 'unheard': return { verdict: 'fail', text: 'shift.soundBad' }
    case 'blocked': return { verdict: 'fail', text: 'shift.soundBlocked' }
    case 'playing': return { verdict: 'todo', text: 'shift.soundPlaying' }
    case 'asked': return { verdict: 'todo', text: 'shift.heardQuestion' }
    default: return { verdict: 'todo', text: 'shift.soundTodo' }
  }
}

/** `skew` = this computer's clock less the hub's, in milliseconds; null until the hub was heard. */
export function clockCheck(skew: number | null): Check {
  if (skew === null) return { verdict: 'todo', text: 'shift.clockTodo' }
  const values = { s: (skew / 1000).toFixed(1) }
  return Math.abs(skew) <= clockTolerance
    ? { verdict: 'pass', text: 'shift.clockOk', values }
    : { verdict: 'warn', text: 'shift.clockBad', values }
}

export function linkCheck(fresh: boolean, dead: boolean): Check {
  if (fresh) return { verdict: 'pass', text: 'shift.linkOk' }
  return dead ? { verdict: 'fail', text: 'shift.linkBad' } : { verdict: 'todo', text: 'shift.linkTodo' }
}

export function browserCheck(userAgent: string): Check {
  const version = Number(/Chrom(?:e|ium)\/(\d+)/.exec(userAgent)?.[1] ?? 0)
  if (!version) return { verdict: 'warn', text: 'shift.browserOther' }
  return version >= oldestCore
    ? { verdict: 'pass', text: 'shift.browserOk', values: { version } }
    : { verdict: 'fail', text: 'shift.browserBad', values: { version } }
}

export type Security = 'encrypted' | 'local' | 'open'

/** By what the page was fetched with: a secure context says nothing of encryption, a loopback address has one without. */
export function securityOf({ protocol, hostname }: Pick<Location, 'protocol' | 'hostname'>): Security {
  if (protocol === 'https:') return 'encrypted'
  return /^(?:localhost|(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname) ? 'local' : 'open'
}

export function secureCheck(security: Security): Check {
  const texts = { encrypted: 'shift.secureOk', local: 'shift.secureLocal', open: 'shift.secureBad' }
  return { verdict: security === 'open' ? 'warn' : 'pass', text: texts[security] }
}

/** A shift may begin when nothing failed and the sound was heard: alarms call by sound. */
export function mayStart(checks: readonly Check[], answer: SoundAnswer): boolean {
  return answer === 'heard' && checks.every((check) => check.verdict === 'pass' || check.verdict === 'warn')
}
