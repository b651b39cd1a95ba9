/** The hub's faults of fields are English sentences of one form: want …, got …. What it wants is told in Chinese by these. */
const wants: readonly (readonly [RegExp, string])[] = [
  [/file of at most (\d+) bytes/, '文件不超过 $1 字节'],
  [/header with at least (.+)/, '表头至少要有 $1'],
  [/each column once/, '每一列只出现一次'],
  [/^this column/, '缺少这一列'],
  [/each (?:id|device) once/, '每个编号只写一次'],
  [/an id that no .+ has/, '编号没有被占用'],
  [/1 to 64 letters, digits/, '1 到 64 个字母、数字、_ 或 -，以字母或数字开头'],
  [/registered device of kind gateway/, '已登记的网关'],
  [/such gateway/, '已登记的网关'],
  [/registered safety house/, '已登记的平安屋'],
  [/registered areas?/, '已登记的居委'],
  [/registered place/, '已登记的场所'],
  [/registered person|the person named in this row/, '已登记的当事人'],
  [/same personal fields as in row (\d+)/, '与第 $1 行同一当事人的内容一致'],
  [/person whose record opens/, '可以解密的当事人记录'],
  [/gateway, as long as other devices/, '网关（仍有设备挂在下面，类型不能改）'],
  [/both lat and lon|lat and lon, or neither/, '经度和纬度同时填写或都不填；0 往往是空单元格变来的'],
  [/degrees from -90/, '-90 到 90 的度数'],
  [/degrees from -180/, '-180 到 180 的度数'],
  [/wgs84/, 'wgs84 或 cgcs2000；gcj02、bd09 偏移数百米，须先转换'],
  [/mains, battery/, '市电（mains）、电池（battery）或不填'],
  [/whole seconds from 1/, '1 到 2592000 的整秒数，或不填'],
  [/telephone number/, '一个电话号码：11 位手机号，或带区号的固定电话'],
  [/HH:MM/, 'HH:MM-HH:MM，多段用 ; 分开'],
  [/true, false|true or false/, '是或否'],
  [/UTF-8 in one line|format the column as text|a name\b/, '一行文字，且不是表格软件改坏的内容（#N/A、1.38E+10）；请把这一列设为文本后重新填写'],
  [/known kind|a kind\b|one of (?:emergency_button|safety_house|garage)/, '已知的设备类型'],
  [/known model|a model\b/, '已知的型号'],
  [/profile|address/, '该型号的地址形式（如 16 位十六进制的 DevEUI），且没有别的设备使用'],
  [/http or https URL/, '以 http 或 https 开头的网址，或不填'],
  [/at most (\d+)/, '不超过 $1'],
  [/^one of (.+)/, '下列之一：$1'],
  [/JSON/, 'JSON'],
  [/a number/, '数字'],
]

export interface SplitFault {
  want: string
  got: string
}

/** A sentence of the hub in its two parts; null for one of another form. */
export function splitFault(message: string): SplitFault | null {
  const found = /want (.+?)(?:, got (.*))?$/s.exec(message)
  return found && { want: found[1]!, got: found[2] ?? '' }
}

/** What is wanted, in Chinese; empty if this page does not know the sentence. */
export function wantInChinese(message: string): string {
  const text = splitFault(message)?.want ?? message
  for (const [pattern, said] of wants) {
    const found = pattern.exec(text)
    if (found) return said.replace(/\$(\d)/g, (_, n: string) => found[Number(n)] ?? '')
  }
  return ''
}
