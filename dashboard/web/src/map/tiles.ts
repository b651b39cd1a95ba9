import { GridLayer, type Coords } from 'leaflet/dist/leaflet-src.esm.js'
import { PMTiles, TileType, type Header } from 'pmtiles'

const mediaTypes: Partial<Record<TileType, string>> = {
  [TileType.Png]: 'image/png', [TileType.Jpeg]: 'image/jpeg', [TileType.Webp]: 'image/webp', [TileType.Avif]: 'image/avif',
}

/** Opens an archive of raster tiles; rejects when it can not be read or holds something else. */
export async function openTiles(url: string, failed: () => void): Promise<{ layer: GridLayer; attribution: string }> {
  const archive = new PMTiles(url)
  const header = await archive.getHeader()
  if (!mediaTypes[header.tileType]) throw new Error('not raster tiles')
  const { attribution } = (await archive.getMetadata()) as { attribution?: string }
  return { layer: new ArchiveLayer(archive, header, failed), attribution: plain(attribution ?? '') }
}

/** An attribution may hold links; only its words are shown. */
function plain(html: string): string {
  return new DOMParser().parseFromString(html, 'text/html').body.textContent?.trim() ?? ''
}

class ArchiveLayer extends GridLayer {
  constructor(private readonly archive: PMTiles, private readonly header: Header, private readonly failed: () => void) {
    super({ minNativeZoom: header.minZoom, maxNativeZoom: header.maxZoom, className: 'tiles' })
  }

  override createTile({ x, y, z }: Coords, done: (error: Error | null, tile: HTMLElement) => void): HTMLElement {
    const tile = document.createElement('img')
    tile.alt = ''
    this.fill(tile, z, x, y).then(() => done(null, tile), (error: Error) => {
      this.failed()
      done(error, tile)
    })
    return tile
  }

  private async fill(tile: HTMLImageElement, z: number, x: number, y: number): Promise<void> {
    const found = await this.archive.getZxy(z, x, y)
    if (!found) return // outside of what the archive covers
    const url = URL.createObjectURL(new Blob([found.data], { type: mediaTypes[this.header.tileType] }))
    try {
      await new Promise((resolve, reject) => {
        tile.onload = resolve
        tile.onerror = () => reject(new Error('not a picture'))
        tile.src = url
      })
    } finally {
      URL.revokeObjectURL(url)
    }
  }
}
