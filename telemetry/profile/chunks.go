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
var sizes = map[string]int{"u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "i32": 4}

// decode reads a device's own bytes into the object that the model's fields read. With a fault it gives what came before.
func (m *Model) decode(text string) (map[string]any, *telemetry.FieldError) {
	if len(text) > base64.StdEncoding.EncodedLen(maxChunks) {
		return nil, fault("bytes", "at most "+strconv.Itoa(maxChunks)+" bytes", "more")
	}
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fault("bytes", "base64", "another string")
	}
	out := map[string]any{}
	for at := 0; at < len(raw); {
		where := "bytes[" + strconv.Itoa(at) + "]"
		if len(raw)-at < 2 {
			return out, fault(where, "channel and type", "the end of the bytes")
		}
		c, ok := m.chunks[[2]byte{raw[at], raw[at+1]}]
		if !ok {
			return out, fault(where, "a channel and type of the model", "another")
		}
		at += 2
		size := c.size()
		if len(raw)-at < size {
			return out, fault(where, strconv.Itoa(size)+" bytes", "the end of the bytes")
		}
		c.read(out, raw[at:at+size])
		at += size
	}
	return out, nil
}

// size is what the chunk takes after channel and type.
func (c Chunk) size() int {
	n := 0
	for _, p := range c.Parts {
		n += sizes[p.Form]
	}
	return max(n, c.Size)
}

func (c Chunk) read(into map[string]any, raw []byte) {
	for _, p := range c.Parts {
		n := p.number(raw)
		if p.Scale != 0 {
			n *= p.Scale
		}
		put(into, strings.Split(p.Path, "."), json.Number(strconv.FormatFloat(n, 'g', 12, 64)))
		raw = raw[sizes[p.Form]:]
	}
}

func (p Part) number(raw []byte) float64 {
	switch p.Form {
	case "u8":
		return float64(raw[0])
	case "i8":
		return float64(int8(raw[0]))
	case "u16":
		return float64(binary.LittleEndian.Uint16(raw))
	case "i16":
		return float64(int16(binary.LittleEndian.Uint16(raw)))
	case "u32":
		return float64(binary.LittleEndian.Uint32(raw))
	}
	return float64(int32(binary.LittleEndian.Uint32(raw)))
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
