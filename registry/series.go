package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// partBytes is about what one step of a change set may hold. A larger one becomes a series of steps, part after part, so that neither
// writing nor reading ever holds more than a few parts in memory.
const partBytes = 512 << 10

// partWriter encodes operations into one change set, or into the parts of a series when they are many, and hands on each body.
type partWriter struct {
	head changeHead
	most int
	put  func(body []byte) error
	ops  bytes.Buffer // encoded, each followed by a line feed
	next bool         // an operation stands there already
}

// add encodes one operation. What is full is handed on only when more comes: only then is it known not to be the last.
func (w *partWriter) add(o op) error {
	if w.ops.Len() >= w.most {
		w.head.Part++
		if err := w.flush(); err != nil {
			return err
		}
	}
	if w.next {
		w.ops.WriteByte(',')
	}
	w.next = true
	if err := json.NewEncoder(&w.ops).Encode(o); err != nil {
		return fmt.Errorf("encode change set: %w", err)
	}
	return nil
}

// close hands on what is left: the last part, or the whole change set. Without operations there is none.
func (w *partWriter) close() error {
	if !w.next {
		return nil
	}
	if w.head.Part > 0 {
		w.head.Part++
		w.head.Last = true
	}
	return w.flush()
}

func (w *partWriter) flush() error {
	w.head.Version = formatVersion
	if w.head.Part > 0 {
		w.head.Version = seriesVersion
	}
	body, err := json.Marshal(struct {
		changeHead
		Ops json.RawMessage `json:"ops"`
	}{w.head, append(append([]byte{'['}, w.ops.Bytes()...), ']')})
	if err != nil {
		return fmt.Errorf("encode change set: %w", err)
	}
	w.ops.Reset()
	w.next = false
	return w.put(body)
}

// folder folds what a chain holds into a state. A series counts when its last part is there, and from then on. One that was not
// finished, because the process ended or the disk was full, is passed over once another step follows; until then it may still grow.
type folder struct {
	chain chain
	state *state
	note  func(body []byte, hash verifier) // of each step that counts
	until uint64                           // the last part of the series that is being folded
}

// readPage bounds the steps read at a time, and with partBytes the memory.
const readPage = 16

func (f *folder) run(ctx context.Context) error {
	for next := f.state.Step + 1; ; {
		steps, err := f.chain.Read(ctx, next, readPage)
		if err != nil {
			return fmt.Errorf("read change sets from %d: %w", next, err)
		}
		for _, step := range steps {
			if err := f.step(ctx, step.N, step.Body, step.Hash); err != nil {
				return fmt.Errorf("registry step %d: %w", step.N, err)
			}
			next = step.N + 1
		}
		if len(steps) == 0 {
			return nil
		}
	}
}

// step folds a step, if it counts.
func (f *folder) step(ctx context.Context, n uint64, body []byte, hash verifier) error {
	head, err := decodeHead(body)
	if err != nil {
		return err
	}
	if head.Part == 1 {
		if f.until, err = f.end(ctx, n); err != nil {
			return err
		}
	}
	if head.Part > 0 && n > f.until {
		return nil // of a series without an end
	}
	if err := f.state.fold(body); err != nil {
		return err
	}
	if head.Part == 0 || head.Last {
		f.state.Step = n
		f.state.Revision++
	}
	f.note(body, hash)
	return nil
}

// end finds the last part of the series that begins with step first, 0 when it has none. The parts of a series follow each other:
// the chain takes a step only from the writer who knows the one before.
func (f *folder) end(ctx context.Context, first uint64) (uint64, error) {
	for next := first + 1; ; {
		steps, err := f.chain.Read(ctx, next, readPage)
		if err != nil {
			return 0, fmt.Errorf("read the parts from %d: %w", next, err)
		}
		for _, step := range steps {
			head, err := decodeHead(step.Body)
			if err != nil || uint64(head.Part) != step.N-first+1 {
				return 0, nil //nolint:nilerr // another change set, or nothing that this program knows: its own turn says so
			}
			if head.Last {
				return step.N, nil
			}
			next = step.N + 1
		}
		if len(steps) == 0 {
			return 0, nil
		}
	}
}
