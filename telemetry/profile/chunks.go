package profile

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"

	"watchhouse/telemetry"
)

// maxChunks bounds the bytes of a device: a LoRaWAN frame has at most 242.
const maxChunks = 1024

// sizes of the numbers that a part can be.
var sizes = map[string]int{"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "u16be": 2, "i16be": 2}

// chunkKey finds a chunk: channel and type, the type -1 when the channel alone counts.
type chunkKey [2]int

func (c *Chunk) key() chunkKey {
	if c.Type == nil {
		return chunkKey{c.Channel, -1}
	}
	return chunkKey{c.Channel, *c.Type}
}

// decode reads a device's own bytes into the object that the model's fields read. With a fault it gives what came before.
func (m *Model) decode(text string, port any) (map[string]any, *telemetry.FieldError) {
	if len(text) > base64.StdEncoding.EncodedLen(maxChunks) {
		return nil, fault("bytes", "at most "+strconv.Itoa(maxChunks)+" bytes", "more")
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fault("bytes", "base64", "another string")
	}
	if len(m.frames) > 0 {
		return m.frame(raw, port)
	}
	out := map[string]any{}
	for at := 0; at < len(raw); {
		where := "bytes[" + strconv.Itoa(at) + "]"
		c, head := m.chunk(raw[at:])
		switch {
		case head == 0 && len(raw)-at < 2:
			return out, fault(where, "channel and type", "the end of the bytes")
		case head == 0:
			return out, fault(where, "a channel and type of the model", "another")
		}
		at += head
		size := c.size()
		if len(raw)-at < size {
			return out, fault(where, strconv.Itoa(size)+" bytes", "the end of the bytes")
		}
		read(out, c.Parts, raw[at:at+size])
		at += size
	}
	return out, nil
}

// chunk finds what the bytes begin with, and how many of them say so; 0 is none.
func (m *Model) chunk(raw []byte) (c Chunk, head int) {
	if len(raw) >= 2 {
		if c, ok := m.chunks[chunkKey{int(raw[0]), int(raw[1])}]; ok {
			return c, 2
		}
	}
	if c, ok := m.chunks[chunkKey{int(raw[0]), -1}]; ok {
		return c, 1
	}
	return c, 0
}

// frame reads bytes that are laid out by the port.
func (m *Model) frame(raw []byte, port any) (map[string]any, *telemetry.FieldError) {
	n, _ := number(port)
	f, ok := m.frames[int(n)]
	if !ok {
		return nil, fault("port", "a port of the model", "another")
	}
	size := partsSize(f.Parts)
	if len(raw) < size || f.Size > 0 && len(raw) != f.Size {
		return nil, fault("bytes", strconv.Itoa(max(size, f.Size))+" bytes", strconv.Itoa(len(raw)))
	}
	out := map[string]any{}
	read(out, f.Parts, raw)
	return out, nil
}

// size is what the chunk takes after channel and type.
func (c Chunk) size() int { return max(partsSize(c.Parts), c.Size) }

func partsSize(parts []Part) int {
	n := 0
	for _, p := range parts {
		n += sizes[p.Form]
	}
	return n
}

func read(into map[string]any, parts []Part, raw []byte) {
	for _, p := range parts {
		size := sizes[p.Form]
		if p.Path != "" {
			n := p.number(raw[:size])
			if p.Scale != 0 {
				n *= p.Scale
			}
			put(into, strings.Split(p.Path, "."), json.Number(strconv.FormatFloat(n, 'g', 12, 64)))
		}
		raw = raw[size:]
	}
}

func (p Part) number(raw []byte) float64 {
	if p.Value != nil {
		return *p.Value
	}
	bits := p.bits(raw)
	if p.Mask != 0 {
		bits &= p.Mask
	}
	switch p.Form {
	case "i8":
		return float64(int8(bits))
	case "i16", "i16be":
		return float64(int16(bits))
	case "i32":
		return float64(int32(bits))
	}
	return float64(bits)
}

func (p Part) bits(raw []byte) uint32 {
	switch p.Form {
	case "u8", "i8":
		return uint32(raw[0])
	case "u16", "i16":
		return uint32(binary.LittleEndian.Uint16(raw))
	case "u16be", "i16be":
		return uint32(binary.BigEndian.Uint16(raw))
	}
	return binary.LittleEndian.Uint32(raw)
}

// put sets a value in an object of objects.
func put(into map[string]any, names []string, v any) {
	for len(names) > 1 {
		next, ok := into[names[0]].(map[string]any)
		if !ok {
			next = map[string]any{}
			into[names[0]] = next
		}
		into, names = next, names[1:]
	}
	into[names[0]] = v
}
