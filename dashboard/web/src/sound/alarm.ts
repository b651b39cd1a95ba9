import { computed, inject, shallowRef, watch as observe, type InjectionKey } from 'vue'
import type { AudioReport } from '../stream/protocol'
import type { Watch } from '../store/watch'
import { decide, muteNow, type Mute } from './decide'
import { SoundEngine } from './engine'
import { SoundLeader } from './leader'

export type SoundStatus = 'ok' | 'muted' | 'blocked' | 'off' | 'elsewhere'

const blockedPatience = 5_000

export interface AlarmPorts {
  engine: SoundEngine
  watch: Watch
  tab: string
  report(state: AudioReport): void
}

/**
 * Decides from the state what must sound, and whether this tab is able to. It follows the state, not the events: a
 * replay of a thousand old alarms ends in one decision.
 */
export function createAlarm({ engine, watch, tab, report }: AlarmPorts) {
  const mute = shallowRef<Mute | null>(null)
  const state = shallowRef(engine.state())
  const leads = shallowRef(false)
  const mustWarn = shallowRef(false)
  /** Runs on when the link is dead: a mute must end all the same. */
  const clock = shallowRef(0)
  const leader = new SoundLeader(tab, () => (leads.value = leader.isLeader()))
  let standing = false
  let silentSince = 0

  const wanted = computed(() => decide({
    unacked: watch.view.value.unacked, tone: watch.tone.value, now: clock.value, mute: mute.value,
  }))

  const status = computed<SoundStatus>(() => {
    if (state.value !== 'running') return state.value === 'off' ? 'off' : 'blocked'
    if (wanted.value.muted) return 'muted'
    return leads.value ? 'ok' : 'elsewhere'
  })

  function evaluate(): void {
    clock.value = Math.floor((watch.serverNow() || Date.now()) / 1000) * 1000
    if (mute.value && !wanted.value.muted) mute.value = null
    warnWhenSilent()
    if (engine.pattern() === 'test' || watch.tone.value === 'replaying') return
    if (leads.value) engine.play(wanted.value.pattern, wanted.value.loud)
    else engine.play(null)
  }

  /** An emergency is open and for five seconds this browser has let no sound out. */
  function warnWhenSilent(): void {
    const silent = state.value !== 'running' && watch.view.value.counters[1].unacked > 0
    if (!silent) silentSince = 0
    else silentSince ||= performance.now()
    mustWarn.value = silent && performance.now() - silentSince >= blockedPatience
  }

  async function unlock(): Promise<boolean> {
    const running = await engine.unlock()
    state.value = engine.state()
    return running
  }

  async function test(): Promise<boolean> {
    const running = await unlock()
    if (running) await engine.test()
    evaluate()
    return running
  }

  function toggleMute(): void {
    mute.value = wanted.value.muted ? null : muteNow(watch.view.value.unacked, clock.value)
    evaluate()
  }

  engine.onStateChange = () => (state.value = engine.state())
  observe([wanted, state, leads, watch.tone, watch.age], evaluate, { flush: 'sync' })
  observe(state, (now) => {
    if (now !== 'running' || standing) return
    standing = true
    leader.stand()
  })
  observe(status, (now) => report(now === 'muted' ? 'muted' : now === 'blocked' || now === 'off' ? 'blocked' : 'ok'),
    { immediate: true })

  return {
    status, mustWarn, unlock, test, toggleMute, evaluate,
    mutedUntil: computed(() => (wanted.value.muted ? mute.value?.until ?? 0 : 0)),
  }
}

export type Alarm = ReturnType<typeof createAlarm>
export const alarmKey: InjectionKey<Alarm> = Symbol('alarm')

export function useAlarm(): Alarm {
  const alarm = inject(alarmKey)
  if (!alarm) throw new Error('useAlarm outside of the app')
  return alarm
}
