package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchhouse/telemetry"
)

func wang() Personal {
	return Personal{
		Name: "王小明", Phone: "13812341234", Address: "洪安小区12号302", Note: "心脏病",
		Contacts: []Relative{{Name: "王芳", Relation: "女儿", Phone: "13912345678"}},
	}
}

func TestMasks(t *testing.T) {
	for name, want := range map[string]string{
		"王小明": "王**", "王明": "王**", "欧阳娜娜": "欧**", "王": "**", "": "", "John Smith": "J**",
	} {
		if got := maskName(name); got != want {
			t.Errorf("name %q is masked as %q, want %q", name, got, want)
		}
	}
	for phone, want := range map[string]string{
		"13812341234": "138****1234", "+86 138 1234 1234": "861****1234", "021-58123456": "021****3456", "58123456": "****56",
		"110": "****", "": "", "unknown": "****",
	} {
		if got := maskPhone(phone); got != want {
			t.Errorf("telephone %q is masked as %q, want %q", phone, got, want)
		}
	}
}

func TestPersonIsSealedMaskedAndRevealed(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	check(t, r.PutPersons(t.Context(), "t", map[string]Personal{"p1": wang()}))
	for _, r := range []*Registry{r, p.open(t)} {
		got, err := r.Reveal("p1")
		check(t, err)
		if diff := cmp.Diff(wang(), got); diff != "" {
			t.Errorf("revealed (-want +got):\n%s", diff)
		}
		if who, ok := r.View().Person("p1"); !ok || who != (Person{"p1", "王**", "138****1234"}) {
			t.Errorf("masked person %+v", who)
		}
		if err := r.KeyProblem(); err != nil {
			t.Errorf("key problem: %v", err)
		}
	}
	if _, err := r.Reveal("p2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v for an unknown person, want ErrNotFound", err)
	}
	info, err := os.Stat(p.key)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("key file has mode %v, want 0600", info.Mode().Perm())
	}
}

func TestPersonRules(t *testing.T) {
	r := openTest(t)
	for name, tc := range map[string]struct {
		id string
		p  Personal
	}{
		"bad id":        {"a b", wang()},
		"no name":       {"p", Personal{Phone: "13812341234"}},
		"huge field":    {"p", Personal{Name: "秘密" + strings.Repeat("x", maxPersonal)}},
		"not UTF-8":     {"p", Personal{Name: "秘密", Address: "\xff"}},
		"many contacts": {"p", Personal{Name: "秘密", Contacts: make([]Relative, maxContacts+1)}},
	} {
		err := r.PutPersons(t.Context(), "t", map[string]Personal{"ok": wang(), tc.id: tc.p})
		if _, ok := errors.AsType[*InvalidError](err); !ok {
			t.Errorf("%s: error %v, want an *InvalidError", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "秘密") || strings.Contains(err.Error(), "1381234")) {
			t.Errorf("%s: the error holds personal data: %v", name, err)
		}
	}
	if n := len(r.View().Persons()); n != 0 {
		t.Errorf("%d people after refused calls", n)
	}
}

func TestPersonInUseStays(t *testing.T) {
	r := openTest(t)
	check(t, r.PutPersons(t.Context(), "t", map[string]Personal{"p1": wang()}))
	mustPut(t, r, nil, Device{ID: "btn", Kind: telemetry.EmergencyButton, Person: "p1"})
	if err := r.DeletePerson(t.Context(), "t", "p1"); !errors.Is(err, ErrInUse) {
		t.Errorf("error %v, want ErrInUse", err)
	}
	mustPut(t, r, nil, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	check(t, r.DeletePerson(t.Context(), "t", "p1"))
	if _, ok := r.View().Person("p1"); ok {
		t.Error("the person is still there")
	}
}

// Without the key file everybody can still call; only personal data is out of reach, and no second key comes into use.
func TestMissingKeyFile(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	mustPut(t, r, map[string]string{"btn": chosen}, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	check(t, r.PutPersons(t.Context(), "t", map[string]Personal{"p1": wang()}))
	check(t, os.Rename(p.key, p.key+".lost"))

	r = p.open(t)
	if _, err := r.Authenticate("btn", "btn", []byte(chosen)); err != nil {
		t.Errorf("a button cannot connect without the key file: %v", err)
	}
	if _, err := r.Reveal("p1"); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), p.key) {
		t.Errorf("reveal: error %v, want ErrKey that names the file", err)
	}
	if err := r.KeyProblem(); !errors.Is(err, ErrKey) {
		t.Errorf("key problem %v, want ErrKey", err)
	}
	if who, ok := r.View().Person("p1"); !ok || who != (Person{ID: "p1"}) {
		t.Errorf("person %+v, %v, want the id alone", who, ok)
	}
	if err := r.PutPersons(t.Context(), "t", map[string]Personal{"p2": wang()}); !errors.Is(err, ErrKey) {
		t.Errorf("entering a person: error %v, want ErrKey", err)
	}
	if _, err := os.Stat(p.key); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a second key was made in silence: %v", err)
	}
	check(t, os.Rename(p.key+".lost", p.key))
	if _, err := p.open(t).Reveal("p1"); err != nil {
		t.Errorf("with the file put back: %v", err)
	}
}

func TestKeyIsChangedByANewFirstLine(t *testing.T) {
	p := newPlace(t)
	check(t, p.open(t).PutPersons(t.Context(), "t", map[string]Personal{"old": wang()}))
	old, err := os.ReadFile(p.key)
	check(t, err)
	newLine := strings.Repeat("ab", 32) + "\n"
	check(t, os.WriteFile(p.key, append([]byte(newLine), old...), 0o600))
	r := p.open(t)
	check(t, r.PutPersons(t.Context(), "t", map[string]Personal{"new": wang()}))
	if o, n := r.View().state.Persons["old"].Key, r.View().state.Persons["new"].Key; o == n {
		t.Errorf("both records name key %s", o)
	}
	for _, id := range []string{"old", "new"} {
		if _, err := r.Reveal(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	check(t, os.WriteFile(p.key, []byte(newLine), 0o600))
	if err := p.open(t).KeyProblem(); !errors.Is(err, ErrKey) {
		t.Errorf("a key in use is gone: problem %v, want ErrKey", err)
	}
}

func TestDamagedKeyFileIsNamed(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "only a comment": "# key\n", "short": "abcd\n", "no hex": strings.Repeat("zz", 32) + "\n",
		"second line": strings.Repeat("ab", 32) + "\nx\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			check(t, os.WriteFile(p.key, []byte(text), 0o600))
			_, err := open(t.Context(), Config{KeyFile: p.key}, p.chain, p.shelf)
			if err == nil || !strings.Contains(err.Error(), p.key) {
				t.Errorf("error %v, want one that names %s", err, p.key)
			}
			if err != nil && strings.Contains(err.Error(), "abab") {
				t.Errorf("the error repeats key material: %v", err)
			}
		})
	}
}

func TestKeyFileThatCannotBeMade(t *testing.T) {
	p := newPlace(t)
	p.key = filepath.Join(filepath.Dir(p.key), "no", "such", "folder", "key")
	r := p.open(t)
	err := r.PutPersons(t.Context(), "t", map[string]Personal{"p1": wang()})
	if !errors.Is(err, ErrKey) || len(r.View().Persons()) != 0 {
		t.Errorf("error %v and %d people, want ErrKey and none", err, len(r.View().Persons()))
	}
}

// Boxes are bound to their person and cannot be altered.
func TestSealedRecordsCannotBeExchanged(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	check(t, r.PutPersons(t.Context(), "t", map[string]Personal{"p1": wang(), "p2": {Name: "李四"}}))
	box := r.View().state.Persons["p1"]
	flipped := sealed{Key: box.Key, Box: append([]byte{}, box.Box...)}
	flipped.Box[len(flipped.Box)-1] ^= 1
	for name, tc := range map[string]struct {
		id  string
		box sealed
	}{
		"another person": {"p2", box}, "flipped bit": {"p1", flipped}, "cut": {"p1", sealed{box.Key, box.Box[:10]}},
		"empty": {"p1", sealed{box.Key, nil}}, "another key": {"p1", sealed{"00000000", box.Box}},
	} {
		if got, err := unseal[Personal](r.keys, personOwner(tc.id), tc.box); !errors.Is(err, ErrKey) || got.Name != "" {
			t.Errorf("%s: %+v, %v, want ErrKey and nothing", name, got, err)
		}
	}
	again, err := seal(box.Key, r.keys.keys[box.Key], personOwner("p1"), wang())
	check(t, err)
	if string(again.Box) == string(box.Box) {
		t.Error("sealing twice gives the same bytes")
	}
}
