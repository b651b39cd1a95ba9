import { inject, type InjectionKey } from 'vue'
import type { Client } from './api/client'
import type { Console } from './app'

export const clientKey: InjectionKey<Client> = Symbol('client')
export const consoleKey: InjectionKey<Console> = Symbol('console')

export function useClient(): Client {
  const client = inject(clientKey)
  if (!client) throw new Error('useClient outside of the app')
  return client
}

export function useConsole(): Console {
  const found = inject(consoleKey)
  if (!found) throw new Error('useConsole outside of the app')
  return found
}
