package strictyaml

import (
	"errors"
	"strings"
	"testing"
)

type menu struct {
	Version int    `yaml:"version"`
	Dishes  []dish `yaml:"dishes"`
}

type dish struct {
	Name string `yaml:"name"`
	Note string `yaml:"note"`
}

const lunch = `version: 1
dishes:
  - name: soup
  - name: rice
    note: |
      much
      of it
`

func TestFaultsHaveThePlaceOfTheNearestKey(t *testing.T) {
	for path, want := range map[string]string{
		"$.version":             "m.yaml:1:10: no",
		"$.dishes[1]":           "m.yaml:4:5: no",
		"$.dishes[1].name":      "m.yaml:4:11: no",
		"$.dishes[0].note":      "m.yaml:3:5: no", // not in the file: the dish it would be of
		"$.dishes[7].name.more": "m.yaml:3:3: no",
		"$.drinks":              "m.yaml:1:1: no",
	} {
		var m menu
		s, err := Decode("m.yaml", []byte(lunch), &m)
		if err != nil || len(m.Dishes) != 2 {
			t.Fatalf("%v, %d dishes", err, len(m.Dishes))
		}
		s.Fault(path, "no")
		if got := s.Err().Error(); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestEveryFaultIsTold(t *testing.T) {
	s, err := Decode("m.yaml", []byte(lunch), &menu{})
	if err != nil || s.Faulty() || s.Err() != nil {
		t.Fatalf("a file without faults: %v, %v", err, s.Err())
	}
	s.Fault("$.version", "one")
	s.Fault("$.dishes", "two")
	if got := s.Err().Error(); !s.Faulty() || !strings.Contains(got, "one") || !strings.Contains(got, "two") {
		t.Errorf("got %q", got)
	}
}

func TestWhatCannotBeDecoded(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"broken":        {"version: [", "m.yaml:1:"},
		"unknown key":   {"version: 1\ndishez: []\n", "m.yaml:2:1"},
		"wrong type":    {"version: many\n", "m.yaml:1:10"},
		"two documents": {"version: 1\n---\nversion: 2\n", "want one document"},
		"library panic": {"dishes: !!binary x\n", "m.yaml:"},
	} {
		_, err := Decode("m.yaml", []byte(tc.text), &menu{})
		if _, ok := errors.AsType[*FaultError](err); !ok || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want a fault with %q", name, err, tc.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(lunch))
	f.Add([]byte("dishes: !!binary x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Decode("m.yaml", text, &menu{})
		if err == nil {
			s.Fault("$.dishes[0].name", "place")
			err = s.Err()
		}
		if _, ok := errors.AsType[*FaultError](err); !ok {
			t.Errorf("%v is no fault with a place", err)
		}
	})
}
