package alerts

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// TestFoldFromAnySnapshot: thawed from any step and given the steps after it, a book is the live state, to the byte. The desk
// checks the fold from the beginning at every step of its own.
func TestFoldFromAnySnapshot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newDesk(t)
		var shots []string
		for range rapid.IntRange(1, 25).Draw(rt, "inputs") {
			before := len(k.steps)
			randomInput(rt, k)
			for len(shots) < len(k.steps) && before < len(k.steps) {
				shots = append(shots, canonical(t, k.book)) // of the last step of the input; earlier ones are not at hand
			}
		}
		every := len(shots)/4 + 1
		for n, shot := range shots {
			if n%every != 0 {
				continue
			}
			if s, _ := decodeSnapshot([]byte(shot)); s == nil || s.Step != uint64(n+1) {
				continue
			}
			if got := refold(rt, shot, k.steps[n+1:]); got != canonical(t, k.book) {
				rt.Fatalf("fold from step %d:\n%s\nlive:\n%s", n+1, got, canonical(t, k.book))
			}
		}
	})
}

func refold(rt *rapid.T, shot string, steps [][]byte) string {
	s, err := decodeSnapshot([]byte(shot))
	if err != nil {
		rt.Fatal(err)
	}
	b, err := s.thaw()
	if err != nil {
		rt.Fatal(err)
	}
	for _, body := range steps {
		x, err := decodeStep(body)
		if err != nil {
			rt.Fatal(err)
		}
		if err := b.apply(b.step+1, x); err != nil {
			rt.Fatal(err)
		}
	}
	data, err := b.freeze("epoch", "").encode()
	if err != nil {
		rt.Fatal(err)
	}
	return string(data)
}

// TestFoldRefusesHoles in the numbers of steps and of transitions.
func TestFoldRefusesHoles(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	s, err := decodeStep(k.steps[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := newBook().apply(2, s); err == nil {
		t.Error("step 2 after 0 was taken")
	}
	s.First = 5
	if err := newBook().apply(1, s); err == nil {
		t.Error("transition 5 after 0 was taken")
	}
}

// TestANewerStepIsRefused rather than half understood.
func TestANewerStepIsRefused(t *testing.T) {
	for _, body := range []string{`{"v":2,"first":1}`, `{"v":2,"first":"a"}`, `{"v":9,"unheard_of":true}`} {
		if _, err := decodeStep([]byte(body)); !errors.Is(err, errStepVersion) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := decodeStep([]byte(`{"v":1,"first":1,"unheard_of":true}`)); err == nil || errors.Is(err, errStepVersion) {
		t.Errorf("an unknown field of this schema: %v", err)
	}
}

// TestStepsHoldNoPayload: what a device wrote is in the lane only.
func TestStepsHoldNoPayload(t *testing.T) {
	k := newDesk(t)
	k.event("b1", `{"type":"Wang Xiaoming fell","note":"13800001234"}`)
	for _, word := range []string{"Wang", "1380000"} {
		if bytes.Contains(k.steps[0], []byte(word)) {
			t.Errorf("%q is in %s", word, k.steps[0])
		}
	}
}

func FuzzStep(f *testing.F) {
	k := newDesk(f)
	k.event("b1", sos)
	ack(k)
	k.silence("EB-OFFLINE", "b2", false)
	k.event("b1", `{"type":"sos"}`)
	for _, body := range k.steps {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeStep(body)
		if err != nil {
			return
		}
		once, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeStep(once)
		if err != nil {
			t.Fatalf("%v: %s", err, once)
		}
		twice, err := again.encode()
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("encodings differ: %v\n%s\n%s", err, once, twice)
		}
		if err := newBook().apply(1, s); err != nil && s.First == 1 {
			t.Fatalf("a sound first step was refused: %v", err)
		}
	})
}

// TestSnapshotsOfOtherSchemasAreNotUsed: the ledger is the truth.
func TestSnapshotsOfOtherSchemasAreNotUsed(t *testing.T) {
	k := newDesk(t)
	k.event("b1", sos)
	good := canonical(t, k.book)
	var fields map[string]any
	if err := json.Unmarshal([]byte(good), &fields); err != nil {
		t.Fatal(err)
	}
	fields["v"] = 2
	newer, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{newer, []byte(good[:len(good)/2]), nil, []byte("null")} {
		if _, err := decodeSnapshot(data); err == nil {
			t.Errorf("%.40s was taken", data)
		}
	}
}
