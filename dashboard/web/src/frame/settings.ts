import { inject, shallowRef, type InjectionKey } from 'vue'
import { setLocale, storedLocale, type Locale, type Translations } from '../i18n'

export type Theme = 'day' | 'night'

const themeKey = 'wh.theme'
const lettersKey = 'wh.letters'

/** What an operator sets on a computer: theme, language, single-letter keys. Kept in this browser only. */
export function createSettings(translations: Translations) {
  const theme = shallowRef<Theme>(storedTheme())
  const locale = shallowRef<Locale>(storedLocale())
  const letters = shallowRef(localStorage.getItem(lettersKey) === 'on')
  applyTheme()

  function applyTheme(): void {
    document.documentElement.dataset.theme = theme.value
  }

  return {
    theme, locale, letters,
    toggleTheme(): void {
      theme.value = theme.value === 'night' ? 'day' : 'night'
      localStorage.setItem(themeKey, theme.value)
      applyTheme()
    },
    async toggleLocale(): Promise<void> {
      locale.value = locale.value === 'en' ? 'zh-CN' : 'en'
      await setLocale(translations, locale.value)
    },
    setLetters(on: boolean): void {
      letters.value = on
      localStorage.setItem(lettersKey, on ? 'on' : 'off')
    },
  }
}

function storedTheme(): Theme {
  const stored = localStorage.getItem(themeKey)
  if (stored === 'day' || stored === 'night') return stored
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'day'
}

export type Settings = ReturnType<typeof createSettings>
export const settingsKey: InjectionKey<Settings> = Symbol('settings')

export function useSettings(): Settings {
  const settings = inject(settingsKey)
  if (!settings) throw new Error('useSettings outside of the app')
  return settings
}
