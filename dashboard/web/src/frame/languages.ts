import type { Locale } from '../i18n'

const chinese = /[\u3400-\u9fff]/

/** The language to declare for a text within a page; undefined = that of the page. */
export function langOf(text: string, page: Locale): string | undefined {
  return page === 'en' && chinese.test(text) ? 'zh-CN' : undefined
}

/** So much of the end of a place is always shown: floor and room. */
const tailLength = 11
const shortEnough = 16

/** A place in two parts: the first may be shortened, the second never is. */
export function splitPlace(name: string): { head: string; tail: string } {
  const letters = [...name]
  if (letters.length <= shortEnough) return { head: '', tail: name }
  return { head: letters.slice(0, -tailLength).join(''), tail: letters.slice(-tailLength).join('') }
}
