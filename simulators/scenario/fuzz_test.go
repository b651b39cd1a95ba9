package scenario

import "testing"

// FuzzParse: whatever the file holds, it is refused with an error or gives a scenario that can be played.
func FuzzParse(f *testing.F) {
	f.Add([]byte("name: n\nsteps:\n  - {at: 1s, do: event, device: a, type: sos, expect: {rule: EB-SOS, within: 1s}}\n"))
	f.Add([]byte("name: n\nsteps: [{do: watch}]\nloop: {least: 1m, most: 2m, pick: [{weight: 1, do: cut, device: 'any:gateway', for: 1s}]}\n"))
	f.Add([]byte("name: n\nsteps: [{do: fill, device: a, stream: wet, pct: 97}, {do: collect, device: a, stream: wet}, {do: burn, device: 'any:garage'}]\n"))
	f.Add([]byte("steps: [{do: dance}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("f.yaml", text)
		if err != nil {
			return
		}
		if s.Name == "" || len(s.Steps) == 0 {
			t.Fatalf("accepted %+v", s)
		}
		for _, step := range s.Steps {
			if !(step.Pct >= 0 && step.Pct <= 100) {
				t.Fatalf("accepted the level %v", step.Pct)
			}
			if step.Times < 1 || step.Expect != nil && step.Expect.Within <= 0 {
				t.Fatalf("accepted the step %+v", step)
			}
		}
		if l := s.Loop; l != nil && (len(l.Pick) == 0 || l.Least <= 0 || l.Most < l.Least) {
			t.Fatalf("accepted the loop %+v", l)
		}
	})
}
