/** A file as the import dialog shows it before it is sent. The hub reads it anew and decides. */
export interface Preview {
  header: string[]
  rows: string[][]
  /** How many of its ids are registered already. */
  known: number
}

/** The text of a file: UTF-8, or what spreadsheets in China write. null: neither. */
export function decode(bytes: ArrayBuffer): { text: string; converted: boolean } | null {
  for (const coding of ['utf-8', 'gb18030']) {
    try {
      return { text: new TextDecoder(coding, { fatal: true }).decode(bytes), converted: coding !== 'utf-8' }
    } catch {
      // the next one
    }
  }
  return null
}

const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y

/** Splits CSV into rows (RFC 4180); blank lines are none. */
export function parse(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  cell.lastIndex = 0
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text)
    if (!found) return rows // a quote within a bare cell: the hub will name the row
    row.push(found[1]?.replace(/""/g, '"') ?? found[2] ?? '')
    if (found[3] === ',') {
      if (cell.lastIndex === text.length) row.push('')
      else continue
    }
    if (row.some((value) => value.trim() !== '')) rows.push(row)
    row = []
  }
  return rows
}

export function preview(text: string, registered: (id: string) => boolean): Preview {
  const [header = [], ...rows] = parse(text)
  const names = header.map((name) => name.trim().toLowerCase())
  const at = names.indexOf('id')
  return { header: names, rows, known: rows.filter((row) => registered((row[at] ?? '').trim())).length }
}
