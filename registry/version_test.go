package registry

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What version 1 of the program left behind, before places and contacts, still loads: the change sets alone, and the snapshot
// with what came after it.
func TestOldFormatStillLoads(t *testing.T) {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("testdata", "version1", name))
		check(t, err)
		return text
	}
	p := newPlace(t)
	p.key = filepath.Join("testdata", "version1", "data.key")
	for step := range bytes.Lines(read("changes.jsonl")) {
		last, err := p.chain.Last(t.Context())
		check(t, err)
		_, err = p.chain.Append(t.Context(), last, bytes.TrimSpace(step))
		check(t, err)
	}
	p.shelf.values[snapshotKey] = read("snapshot.json")
	r := p.open(t)
	if r.snapshot.steps != 1 {
		t.Errorf("%d steps were folded, want the one after the snapshot", r.snapshot.steps)
	}
	for name, r := range map[string]*Registry{"snapshot": r, "change sets": p.openBare(t)} {
		if who, err := r.Authenticate("btn", "btn", []byte("a-secret-of-version-1")); err != nil || who.ID != "btn" {
			t.Errorf("from the %s: %v, want btn to connect", name, err)
		}
		d, _ := r.View().Device("btn")
		personal, err := r.Reveal(d.Person)
		if err != nil || personal.Contacts[0].Relation != "女儿" || d.Area != "a1" || !d.OutOfService || d.Lat == nil {
			t.Errorf("from the %s: device %+v, person %v", name, d, err)
		}
		check(t, r.PutPlaces(t.Context(), "t", []Place{{ID: "p1", Name: "x"}}))
	}
}

// A snapshot of a program that knows more is not believed.
func TestNewerSnapshotIsNotBelieved(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	r.snapshot.every = 1
	check(t, r.PutPlaces(t.Context(), "t", []Place{{ID: "p1", Name: "x"}}))
	text := bytes.Replace(p.shelf.values[snapshotKey], []byte(`{"v":3`), []byte(`{"v":4`), 1)
	if _, _, err := r.decodeSnapshot(t.Context(), text); err == nil {
		t.Error("a snapshot of version 4 was believed")
	}
	if _, _, err := r.decodeSnapshot(t.Context(), p.shelf.values[snapshotKey]); err != nil {
		t.Errorf("the own snapshot is not believed: %v", err)
	}
}
