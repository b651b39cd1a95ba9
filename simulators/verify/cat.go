package verify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// Cat reads the lines of `watchhouse journal cat`: lane, position, id, at, device, topic, payload, the payload as the JSON it was, else as
// a string. Lines without a topic are no publishes and left out, and so are those of a kind other than publish where the line names one.
func Cat(r io.Reader) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		in := bufio.NewScanner(r)
		in.Buffer(nil, 4<<20)
		for n := 1; in.Scan(); n++ {
			stored, ok, err := parseCat(in.Bytes())
			if err != nil {
				yield(Stored{}, fmt.Errorf("journal cat: line %d: %w", n, err))
				return
			}
			if ok && !yield(stored, nil) {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(Stored{}, fmt.Errorf("journal cat: %w", err))
		}
	}
}

func parseCat(text []byte) (Stored, bool, error) {
	var row struct {
		Kind    string          `json:"kind"`
		Topic   string          `json:"topic"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(text, &row); err != nil {
		return Stored{}, false, err
	}
	if row.Topic == "" || row.Kind != "" && row.Kind != "publish" {
		return Stored{}, false, nil
	}
	s := Stored{Topic: row.Topic, Payload: row.Payload}
	if len(row.Payload) > 0 && row.Payload[0] == '"' {
		var raw string
		if err := json.Unmarshal(row.Payload, &raw); err != nil {
			return s, false, err
		}
		s.Payload = []byte(raw)
	}
	return s, true, nil
}
