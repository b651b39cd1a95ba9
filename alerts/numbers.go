package alerts

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// numbers is a set of message numbers of a lane, in words of 64. The zero value is empty. What lies below low is not in it.
type numbers struct {
	low   uint64
	words map[uint64]uint64
}

func (s *numbers) add(n uint64) {
	if n < s.low {
		return
	}
	if s.words == nil {
		s.words = map[uint64]uint64{}
	}
	s.words[n/64] |= 1 << (n % 64)
}

func (s *numbers) has(n uint64) bool { return s.words[n/64]&(1<<(n%64)) != 0 }

func (s *numbers) empty() bool { return len(s.words) == 0 }

// join adds another set.
func (s *numbers) join(t *numbers) {
	if t == nil || t.empty() {
		return
	}
	if s.words == nil {
		s.words = make(map[uint64]uint64, len(t.words))
	}
	for at, word := range t.words {
		s.words[at] |= word
	}
	low := s.low
	s.low = 0
	s.prune(low)
}

// prune drops the numbers below low.
func (s *numbers) prune(low uint64) {
	if low <= s.low {
		return
	}
	from, to := s.low/64, low/64
	s.low = low
	if to-from < uint64(len(s.words)) {
		for at := from; at < to; at++ {
			delete(s.words, at)
		}
	} else {
		maps.DeleteFunc(s.words, func(at, _ uint64) bool { return at < to })
	}
	if rest := s.words[to] &^ (1<<(low%64) - 1); rest != 0 {
		s.words[to] = rest
	} else {
		delete(s.words, to)
	}
}

func (s *numbers) clone() numbers { return numbers{s.low, maps.Clone(s.words)} }

// MarshalText writes the words in order, each as its distance from the one before and eight bytes: equal sets give equal texts.
func (s *numbers) MarshalText() ([]byte, error) {
	var out []byte
	before := uint64(0)
	for _, at := range slices.Sorted(maps.Keys(s.words)) {
		out = binary.AppendUvarint(out, at-before)
		out = binary.LittleEndian.AppendUint64(out, s.words[at])
		before = at
	}
	return base64.RawStdEncoding.AppendEncode(nil, out), nil
}

var errNumbers = errors.New("set of numbers is damaged")

// UnmarshalText reads what MarshalText wrote.
func (s *numbers) UnmarshalText(text []byte) error {
	data, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", errNumbers, err)
	}
	*s = numbers{words: map[uint64]uint64{}}
	at := uint64(0)
	for first := true; len(data) > 0; first = false {
		step, n := binary.Uvarint(data)
		if n <= 0 || len(data) < n+8 || !first && step == 0 {
			return errNumbers
		}
		word := binary.LittleEndian.Uint64(data[n:])
		if at += step; word == 0 || at > 1<<58 {
			return errNumbers
		}
		s.words[at] = word
		data = data[n+8:]
	}
	return nil
}
