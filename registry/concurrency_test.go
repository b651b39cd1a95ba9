package registry

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"watchhouse/telemetry"
)

// Readers see whole revisions while edits go on, and edits in parallel all count.
func TestReadersSeeWholeRevisions(t *testing.T) {
	r := openTest(t)
	pair := func(name string) []Device {
		return []Device{{ID: "a", Kind: telemetry.EmergencyButton, Name: name}, {ID: "b", Kind: telemetry.EmergencyButton, Name: name}}
	}
	mustPut(t, r, map[string]string{"a": chosen, "b": chosen}, pair("0")...)
	const writers, edits = 3, 40
	done := make(chan struct{})
	var reading, writing sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			for last := uint64(0); ; {
				select {
				case <-done:
					return
				default:
				}
				v := r.View()
				a, _ := v.Device("a")
				b, _ := v.Device("b")
				if a.Name != b.Name || len(v.Devices()) != 2 || v.Revision() < last {
					t.Errorf("revision %d after %d: a is %q, b is %q", v.Revision(), last, a.Name, b.Name)
					return
				}
				last = v.Revision()
				if _, err := r.Authenticate("a", "a", []byte(chosen)); err != nil {
					t.Errorf("authenticate during edits: %v", err)
					return
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for i := range edits {
				if _, err := r.PutDevices(t.Context(), "t", pair(fmt.Sprint(w, i)), nil); err != nil {
					t.Errorf("edit: %v", err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	if got := r.View().Revision(); got != 1+writers*edits {
		t.Errorf("revision %d, want one for each of %d edits", got, 1+writers*edits)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&InvalidError{"device btn", "kind", "garage", `"Garage"`}, `registry: device btn: kind: want garage, got "Garage"`},
		{RowError{3, "lat", "degrees", `"x"`}, `row 3, column lat: want degrees, got "x"`},
		{RowError{3, "", "2 cells", "1"}, `row 3: want 2 cells, got 1`},
		{FeatureError{0, "type", "FeatureCollection", `"x"`}, `file, type: want FeatureCollection, got "x"`},
		{FeatureError{2, "geometry", "a Polygon", "none"}, `feature 2, geometry: want a Polygon, got none`},
		{&ThrottledError{1500000000}, `registry: too many attempts to sign in, retry after 1.5s`},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("message %q, want %q", got, tc.want)
		}
	}
	if got := excerpt(strings.Repeat("洪", 100)); len([]rune(got)) != 43 {
		t.Errorf("an excerpt of %d characters: %s", len([]rune(got)), got)
	}
}
