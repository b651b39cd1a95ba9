package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
)

// Layout of a frame's header, little-endian; doc.go has it byte by byte.
const (
	headerSize   = 64
	frameVersion = 1

	codecRaw  = 0
	codecZstd = 1

	// maxRawBytes bounds what a frame may unpack to. Lanes stay far below; a chain's group may be a whole registry.
	maxRawBytes = 64 << 20

	// compressFrom is the smallest body worth trying, so that a lone event is never held up by it.
	compressFrom = 4 << 10
	// compressGain is the share (1/n) that must be saved, else the body is stored as it is.
	compressGain = 8
	// compressSkip is how many bodies go unpacked after one that did not pay.
	compressSkip = 15
)

type magic [4]byte

func laneMagic() magic  { return magic{'W', 'H', 'F', '1'} }
func chainMagic() magic { return magic{'W', 'H', 'C', '1'} }

var errFrame = errors.New("bad frame")

// header of a frame. First is the number of its first message or step, Count how many there are.
type header struct {
	Magic  magic
	Codec  byte
	Writer uint64
	Epoch  uint64
	First  uint64
	TimeNS int64 // when it was sealed
	Count  uint32
	Raw    uint32 // bytes of the body unpacked
	Stored uint32 // bytes of the body as stored
	CRC    uint32
}

func (h header) end() uint64 { return h.First + uint64(h.Count) }

func (h header) put(b []byte) {
	copy(b, h.Magic[:])
	b[4], b[5], b[6], b[7] = frameVersion, h.Codec, 0, 0
	le := binary.LittleEndian
	le.PutUint64(b[8:], h.Writer)
	le.PutUint64(b[16:], h.Epoch)
	le.PutUint64(b[24:], h.First)
	le.PutUint64(b[32:], uint64(h.TimeNS))
	le.PutUint32(b[40:], h.Count)
	le.PutUint32(b[44:], h.Raw)
	le.PutUint32(b[48:], h.Stored)
	clear(b[52:60])
	le.PutUint32(b[60:], h.CRC)
}

// parseHeader reads the fields without trusting them: the checksum is checked by openFrame.
func parseHeader(b []byte, want magic) (header, error) {
	if len(b) < headerSize {
		return header{}, fmt.Errorf("%w: %d bytes are less than a header", errFrame, len(b))
	}
	le := binary.LittleEndian
	h := header{
		Magic:  magic(b[:4]),
		Codec:  b[5],
		Writer: le.Uint64(b[8:]),
		Epoch:  le.Uint64(b[16:]),
		First:  le.Uint64(b[24:]),
		TimeNS: int64(le.Uint64(b[32:])),
		Count:  le.Uint32(b[40:]),
		Raw:    le.Uint32(b[44:]),
		Stored: le.Uint32(b[48:]),
		CRC:    le.Uint32(b[60:]),
	}
	if h.Magic != want {
		return h, fmt.Errorf("%w: magic %q, want %q", errFrame, h.Magic[:], want[:])
	}
	if b[4] != frameVersion {
		return h, fmt.Errorf("%w: version %d", errFrame, b[4])
	}
	return h, nil
}

func checksum(b []byte) uint32 {
	t := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(b[:60], t), t, b[headerSize:])
}

// sealFrame fills in the header of buf, whose body is complete and follows headerSize free bytes.
func sealFrame(buf []byte, h header) []byte {
	h.Stored = uint32(len(buf) - headerSize)
	h.CRC = 0
	h.put(buf)
	binary.LittleEndian.PutUint32(buf[60:], checksum(buf))
	return buf
}

// openFrame checks a frame and gives its unpacked body, which shares b's memory when it was not packed.
func openFrame(b []byte, want magic, z *zstd.Decoder) (header, []byte, error) {
	h, err := parseHeader(b, want)
	if err != nil {
		return h, nil, err
	}
	if got := checksum(b); got != h.CRC {
		return h, nil, fmt.Errorf("%w: checksum %08x, want %08x", errFrame, got, h.CRC)
	}
	if int64(h.Stored) != int64(len(b)-headerSize) || h.Raw > maxRawBytes {
		return h, nil, fmt.Errorf("%w: lengths do not fit", errFrame)
	}
	body := b[headerSize:]
	switch h.Codec {
	case codecRaw:
	case codecZstd:
		if body, err = z.DecodeAll(body, make([]byte, 0, h.Raw)); err != nil {
			return h, nil, fmt.Errorf("%w: %w", errFrame, err)
		}
	default:
		return h, nil, fmt.Errorf("%w: codec %d", errFrame, h.Codec)
	}
	if len(body) != int(h.Raw) {
		return h, nil, fmt.Errorf("%w: body of %d bytes, want %d", errFrame, len(body), h.Raw)
	}
	return h, body, nil
}

// packer seals bodies, packing those that gain by it.
type packer struct {
	z    *zstd.Encoder
	skip int
}

// seal gives the finished frame, which is raw itself or made in out, whose memory is used again. raw begins with headerSize
// free bytes.
func (p *packer) seal(raw []byte, out *[]byte, h header) []byte {
	h.Codec, h.Raw = codecRaw, uint32(len(raw)-headerSize)
	if int(h.Raw) < compressFrom {
		return sealFrame(raw, h)
	}
	if p.skip > 0 {
		p.skip--
		return sealFrame(raw, h)
	}
	if cap(*out) < headerSize {
		*out = make([]byte, headerSize, len(raw))
	}
	*out = p.z.EncodeAll(raw[headerSize:], (*out)[:headerSize])
	if len(*out)+len(raw)/compressGain > len(raw) {
		p.skip = compressSkip
		return sealFrame(raw, h)
	}
	h.Codec = codecZstd
	return sealFrame(*out, h)
}

// newEncoder and newDecoder have no goroutines of their own: whole buffers only.
func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(512<<10))
}

func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxRawBytes))
}
