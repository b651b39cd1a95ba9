import { createI18n, useI18n } from 'vue-i18n'
import { parts } from '../screens'
import zh from './zh-CN'

export type Locale = 'zh-CN' | 'en'
export type Messages = typeof zh

const storageKey = 'wh.locale'

/** Chinese is part of the first load and the language of last resort; English comes when it is asked for. */
export function createTranslations() {
  const messages: Record<string, Messages> = { 'zh-CN': zh }
  return createI18n({
    legacy: false,
    locale: 'zh-CN' as string,
    fallbackLocale: 'zh-CN',
    messages,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: import.meta.env.DEV,
  })
}

export type Translations = ReturnType<typeof createTranslations>

export async function setLocale(translations: Translations, locale: Locale): Promise<void> {
  if (locale === 'en' && !translations.global.availableLocales.includes('en')) {
    translations.global.setLocaleMessage('en', (await parts.english()).default)
  }
  translations.global.locale.value = locale
  document.documentElement.lang = locale
  document.title = translations.global.t('app.title')
  localStorage.setItem(storageKey, locale)
}

export function storedLocale(): Locale {
  return localStorage.getItem(storageKey) === 'en' ? 'en' : 'zh-CN'
}

/** Translates a word from an open list (rule, kind, metric): what the page does not know is shown as it came. */
export function useWords() {
  const { t, te } = useI18n()
  const word = (group: string, key: string): string => (te(`${group}.${key}`) ? t(`${group}.${key}`) : key)
  return { t, te, word }
}
