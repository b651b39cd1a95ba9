package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// garages are so many devices that a registry with small parts writes them in many steps.
func garages(name string, n int) []Device {
	ds := make([]Device, n)
	for i := range ds {
		ds[i] = Device{ID: fmt.Sprintf("%s-%02d", name, i), Kind: telemetry.Garage}
	}
	return ds
}

// A change set in many steps is one revision, and every cut in it leaves nothing of it behind.
func TestSeriesIsAllOrNothingWhereverItIsCut(t *testing.T) {
	const steps = 6
	for cut := range steps {
		t.Run(fmt.Sprint("after part ", cut), func(t *testing.T) {
			p := newPlace(t)
			r := p.open(t)
			r.partBytes = 1
			mustPut(t, r, nil, Device{ID: "before", Kind: telemetry.Garage})
			before, stored := r.View(), 0
			p.chain.fail = func(after bool) error {
				if !after && stored == cut {
					return errDisk
				}
				if after {
					stored++
				}
				return nil
			}
			if _, err := r.PutDevices(t.Context(), "t", garages("lost", steps), nil); !errors.Is(err, errDisk) {
				t.Fatalf("error %v, want the disk's", err)
			}
			if r.View() != before {
				t.Errorf("there is a revision %d of a change set that was cut", r.View().Revision())
			}
			p.chain.fail = nil
			r = p.open(t)
			r.partBytes = 1
			mustPut(t, r, nil, garages("kept", steps)...)
			for name, r := range map[string]*Registry{"live": r, "reopened": p.open(t), "of the chain alone": p.openBare(t)} {
				if n, rev := len(r.View().Devices()), r.View().Revision(); n != 1+steps || rev != before.Revision()+1 {
					t.Errorf("%s: %d devices at revision %d, want %d and %d", name, n, rev, 1+steps, before.Revision()+1)
				}
			}
		})
	}
}

// Who reads while another writes sees nothing of a series until it is whole; and who writes into it puts an end to it, after which
// the first writes all of his anew.
func TestTwoWritersOfPartsTakeTurns(t *testing.T) {
	p := newPlace(t)
	one, two := p.open(t), p.open(t)
	one.partBytes, two.partBytes = 1, 1
	stored := 0
	p.chain.fail = func(after bool) error {
		if stored++; after || stored != 7 {
			return nil
		}
		p.chain.mu.Unlock() // held by the append that asks
		defer p.chain.mu.Lock()
		if n := len(p.openBare(t).View().Devices()); n != 0 {
			t.Errorf("%d devices of a series that is not finished", n)
		}
		mustPut(t, two, nil, Device{ID: "between", Kind: telemetry.Garage})
		return journal.ErrConflict
	}
	mustPut(t, one, nil, garages("d", 6)...)
	if n, rev := len(one.View().Devices()), one.View().Revision(); n != 7 || rev != 2 {
		t.Errorf("%d devices at revision %d, want 7 and 2", n, rev)
	}
	if bare := encodeState(t, p.openBare(t)); bare != encodeState(t, one) {
		t.Error("the chain holds something else than the writer sees")
	}
}

// A program that knows nothing of parts must not take one for a whole change set.
func TestPartsAreOfANewerFormat(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	mustPut(t, r, nil, garages("few", 2)...)
	r.partBytes = 1
	mustPut(t, r, nil, garages("many", 2)...)
	for i, want := range []string{`{"v":1,`, `{"v":2,`, `{"v":2,`} {
		if body := string(p.chain.steps[i].Body); !strings.HasPrefix(body, want) {
			t.Errorf("step %d begins %.20q, want %q", i+1, body, want)
		}
	}
}
