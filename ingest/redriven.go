package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal"
)

// redrivenNote is kept for a letter that was redriven. LetterNS tells it from one that has its number after a loss of the file.
type redrivenNote struct {
	At       int64 `json:"at"` // Unix ms
	LetterNS int64 `json:"letter_ns"`
}

// noteKey sorts by number.
func noteKey(n uint64) string { return fmt.Sprintf("%020d", n) }

// note records that a letter was redriven, and forgets those that are no longer kept.
func (d deadLetters) note(ctx context.Context, r journal.Record) error {
	body, err := json.Marshal(redrivenNote{At: time.Now().UnixMilli(), LetterNS: r.AtNS})
	if err != nil {
		return fmt.Errorf("encode note: %w", err)
	}
	if err := d.done.Put(ctx, noteKey(r.N), body); err != nil {
		return fmt.Errorf("record dead letter %d as redriven: %w", r.N, err)
	}
	return d.forget(ctx)
}

func (d deadLetters) forget(ctx context.Context) error {
	first, err := d.stream.List(ctx, 1, 1)
	if err != nil {
		return fmt.Errorf("read dead letters: %w", err)
	}
	keys, err := d.done.Keys(ctx)
	if err != nil {
		return fmt.Errorf("list redriven letters: %w", err)
	}
	for _, key := range keys {
		if len(first) == 0 || key >= noteKey(first[0].N) {
			break
		}
		if err := d.done.Delete(ctx, key); err != nil {
			return fmt.Errorf("forget a redriven letter: %w", err)
		}
	}
	return nil
}

// noted gives the notes that belong to the records.
func (d deadLetters) noted(ctx context.Context, records []journal.Record) (map[uint64]int64, error) {
	out := map[uint64]int64{}
	for _, r := range records {
		body, err := d.done.Get(ctx, noteKey(r.N))
		if errors.Is(err, journal.ErrNotFound) {
			continue
		}
		var note redrivenNote
		if err == nil {
			err = json.Unmarshal(body, &note)
		}
		if err != nil {
			return nil, fmt.Errorf("read what was redriven: %w", err)
		}
		if note.LetterNS == r.AtNS {
			out[r.N] = note.At
		}
	}
	return out, nil
}
