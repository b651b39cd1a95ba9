// The smallest PMTiles archive of raster tiles (version 3): one grey pixel for every tile of the levels 0 to 15 near a place.
import { gzipSync } from 'node:zlib'

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkaPj/HwAEgAJ/9wH2nAAAAABJRU5ErkJggg==', 'base64')

function varint(n) {
  const out = []
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) | 128)
  out.push(n)
  return out
}

/** One run of tiles, all with the same picture, from number 0 on. */
export function archive() {
  const run = 1_500_000_000 // covers the levels 0 to 15 along the curve
  const directory = gzipSync(Buffer.from([...varint(1), ...varint(0), ...varint(run), ...varint(png.length), ...varint(1)]))
  const metadata = gzipSync(Buffer.from(JSON.stringify({ attribution: 'Tiles by <a href="#">nobody</a>' })))
  const header = Buffer.alloc(127)
  header.write('PMTiles')
  header.writeUInt8(3, 7)
  const [root, meta, leaf, data] = [127, 127 + directory.length, 127 + directory.length + metadata.length, 127 + directory.length + metadata.length]
  ;[[root, directory.length], [meta, metadata.length], [leaf, 0], [data, png.length]].forEach(([offset, length], i) => {
    header.writeBigUInt64LE(BigInt(offset), 8 + i * 16)
    header.writeBigUInt64LE(BigInt(length), 16 + i * 16)
  })
  header.writeBigUInt64LE(BigInt(run), 72)
  header.writeBigUInt64LE(1n, 80)
  header.writeBigUInt64LE(1n, 88)
  header.writeUInt8(1, 96) // clustered
  header.writeUInt8(2, 97) // gzip within
  header.writeUInt8(1, 98) // tiles as they are
  header.writeUInt8(2, 99) // PNG
  header.writeUInt8(0, 100)
  header.writeUInt8(15, 101)
  return Buffer.concat([header, directory, metadata, png])
}

/** Answers a range of it, as http.ServeContent does. */
export function serveArchive({ request, response }) {
  const all = archive()
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [null, 0, all.length - 1]
  const part = all.subarray(Number(from), Math.min(Number(to), all.length - 1) + 1)
  response.writeHead(request.headers.range ? 206 : 200, { 'Content-Type': 'application/vnd.pmtiles', 'ETag': '"one"', 'Content-Length': part.length }).end(part)
}
