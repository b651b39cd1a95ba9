// Which words of a screen are in the wrong language. What somebody typed (names, notes) declares its language, what a machine wrote
// (ids, topics, payloads) is marked translate="no"; both are left out, as a translator would.

/** Names and units that are the same in every language. */
const international = [
  'InfluxDB', 'MQTT', 'CSV', 'GBK', 'WGS', 'HTTP', 'HTTPS', 'QoS', 'DevEUI', 'Chromium', 'Alt', 'Ctrl', 'Enter', 'Esc', 'Home', 'End', 'PageUp', 'PageDown',
  'dBm', 'ppm', 'kg', 'JSON', 'UTF', 'LoRa', 'mains', 'battery', 'wgs', 'cgcs', 'gcj', 'bd', 'id', 'kind',
]

/**
 * Texts of the screen that are not in `locale`. `data` are words of the hub's records, as names of users; `names` may stand within
 * a label, which cannot tell the language of its parts.
 */
export function strangers(page, locale, data = [], names = []) {
  return page.evaluate(({ locale, allowed, names }) => {
    const foreign = (element) => {
      for (let at = element; at && at !== document.documentElement; at = at.parentElement) {
        if (at.getAttribute('translate') === 'no') return true
        const lang = at.getAttribute('lang')
        if (lang && lang.slice(0, 2) !== locale.slice(0, 2)) return true
      }
      return false
    }
    const bad = (text) => {
      if (locale === 'en') return /[\u3400-\u9fff\uff00-\uffef]/.test(text)
      return [...text.replace(/“[^”]*”/g, '').matchAll(/[A-Za-z]{2,}(?:[-\w]*\d[-\w]*)?/g)].some(([word]) => !allowed.includes(word) && !/\d/.test(word) && !/^F\d+$/.test(word))
    }
    const unnamed = (text) => names.reduce((rest, name) => rest.replace(name, ''), text)
    const found = new Set()
    const look = (element, text, where) => {
      if (text.trim() && !foreign(element) && bad(text)) found.add(`${where}: ${text.trim().slice(0, 120)}`)
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT)
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(node.parentElement.tagName)) look(node.parentElement, node.textContent, `<${node.parentElement.tagName.toLowerCase()} ${node.parentElement.className}>`)
      } else {
        for (const name of ['aria-label', 'placeholder', 'alt']) look(node, unnamed(node.getAttribute(name) ?? ''), name)
      }
    }
    look(document.documentElement, document.title, 'the title of the window')
    return [...found]
  }, { locale, allowed: [...international, ...data], names })
}
