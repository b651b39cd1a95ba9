package registry

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func crew() map[string]Reach {
	return map[string]Reach{"crew": {Name: "李师傅", Phone: "13812341234"}}
}

func TestContactIsSealedMaskedAndRevealed(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	c := Contact{ID: "crew", Duty: DutySanitation, Areas: []string{"a2", "a1", "a1"}, Webhook: "https://example.invalid/hook?key=1"}
	check(t, r.PutContacts(t.Context(), "t", []Contact{c}, crew()))
	want := Contact{
		ID: "crew", Duty: DutySanitation, Areas: []string{"a1", "a2"}, Webhook: c.Webhook, MaskedName: "李**", MaskedPhone: "138****1234",
	}
	for _, r := range []*Registry{r, p.open(t)} {
		if diff := cmp.Diff([]Contact{want}, r.View().Contacts()); diff != "" {
			t.Errorf("contacts (-want +got):\n%s", diff)
		}
		got, err := r.RevealContact("crew")
		check(t, err)
		if got != crew()["crew"] {
			t.Errorf("revealed %+v", got)
		}
	}
	for _, step := range p.chain.steps {
		if strings.Contains(string(step.Body), "师傅") || strings.Contains(string(step.Body), "1381234") || strings.Contains(string(step.Body), "****") {
			t.Errorf("the chain holds personal data: %s", step.Body)
		}
	}
	check(t, r.PutContacts(t.Context(), "t", []Contact{{ID: "crew", Duty: DutyTech}}, nil)) // keeps name and telephone
	if got := r.View().Contacts()[0]; got.MaskedName != "李**" || got.Duty != DutyTech || got.Areas != nil {
		t.Errorf("a contact put without name and telephone is %+v", got)
	}
	check(t, os.Remove(p.key))
	r = p.open(t)
	if got := r.View().Contacts()[0]; got.MaskedName != "" || got.Duty != DutyTech {
		t.Errorf("without the key the contact is %+v", got)
	}
	if _, err := r.RevealContact("crew"); !errors.Is(err, ErrKey) || !errors.Is(r.KeyProblem(), ErrKey) {
		t.Errorf("without the key: reveal %v, key problem %v, want ErrKey", err, r.KeyProblem())
	}
	if err := r.PutContacts(t.Context(), "t", []Contact{{ID: "new", Duty: DutyFire}}, map[string]Reach{"new": {Name: "x"}}); !errors.Is(err, ErrKey) {
		t.Errorf("without the key a contact was entered: %v", err)
	}
}

func TestContactRules(t *testing.T) {
	r := openTest(t)
	check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "a1", Name: "x"}}))
	for _, tc := range []struct {
		field string
		c     Contact
		reach Reach
	}{
		{"id", Contact{ID: "a b", Duty: DutyFire}, Reach{Name: "秘密"}},
		{"duty", Contact{ID: "c", Duty: "cook"}, Reach{Name: "秘密"}},
		{"areas", Contact{ID: "c", Duty: DutyFire, Areas: []string{"a1", "nowhere"}}, Reach{Name: "秘密"}},
		{"areas", Contact{ID: "c", Duty: DutyFire, Areas: []string{"a 1"}}, Reach{Name: "秘密"}},
		{"webhook", Contact{ID: "c", Duty: DutyFire, Webhook: "ftp://秘密"}, Reach{Name: "秘密"}},
		{"webhook", Contact{ID: "c", Duty: DutyFire, Webhook: "https://"}, Reach{Name: "秘密"}},
		{"webhook", Contact{ID: "c", Duty: DutyFire, Webhook: "https://h/" + strings.Repeat("x", 1024)}, Reach{Name: "秘密"}},
		{"name", Contact{ID: "c", Duty: DutyFire}, Reach{Phone: "13812341234"}},
		{"name", Contact{ID: "c", Duty: DutyFire}, Reach{Name: "秘密\n"[:6] + "\x00"}},
		{"phone", Contact{ID: "c", Duty: DutyFire}, Reach{Name: "秘密", Phone: "13812341234\n1"}},
	} {
		err := r.PutContacts(t.Context(), "t", []Contact{{ID: "crew", Duty: DutyFire}, tc.c}, map[string]Reach{"crew": {Name: "x"}, tc.c.ID: tc.reach})
		invalid, ok := errors.AsType[*InvalidError](err)
		if !ok || invalid.Field != tc.field || len(r.View().Contacts()) != 0 {
			t.Errorf("%+v: error %v and %d contacts, want a refusal of all that names %s", tc.c, err, len(r.View().Contacts()), tc.field)
		}
		if err != nil && (strings.Contains(err.Error(), "秘密") || strings.Contains(err.Error(), "1381234")) {
			t.Errorf("the error holds personal data: %v", err)
		}
	}
	if err := r.PutContacts(t.Context(), "t", []Contact{{ID: "new", Duty: DutyFire}}, nil); err == nil {
		t.Error("a new contact without a name was accepted")
	}
	check(t, r.PutContacts(t.Context(), "t", []Contact{{ID: "crew", Duty: DutyFire, Areas: []string{"a1"}}}, crew()))
	if err := r.DeleteArea(t.Context(), "t", "a1"); !errors.Is(err, ErrInUse) {
		t.Errorf("deleting the area of a contact: %v, want ErrInUse", err)
	}
	check(t, r.DeleteContact(t.Context(), "t", "crew"))
	if err := r.DeleteContact(t.Context(), "t", "crew"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting it twice: %v, want ErrNotFound", err)
	}
	check(t, r.DeleteArea(t.Context(), "t", "a1"))
}

func TestContactOfADuty(t *testing.T) {
	r := openTest(t)
	reach := map[string]Reach{}
	contacts := []Contact{
		{ID: "z-everywhere", Duty: DutySanitation},
		{ID: "b-everywhere", Duty: DutySanitation},
		{ID: "y-a1", Duty: DutySanitation, Areas: []string{"a1"}},
		{ID: "x-a1", Duty: DutySanitation, Areas: []string{"a0", "a1"}},
		{ID: "a-tech", Duty: DutyTech, Areas: []string{"a1"}},
	}
	for _, c := range contacts {
		reach[c.ID] = Reach{Name: "x"}
	}
	check(t, r.PutContacts(t.Context(), "t", contacts, reach))
	for _, tc := range []struct{ duty, area, want string }{
		{DutySanitation, "a1", "x-a1"},
		{DutySanitation, "a2", "b-everywhere"},
		{DutySanitation, "", "b-everywhere"},
		{DutyTech, "a1", "a-tech"},
		{DutyTech, "a2", ""},
		{DutyFire, "a1", ""},
	} {
		got, ok := r.View().Contact(tc.duty, tc.area)
		if got.ID != tc.want || ok != (tc.want != "") {
			t.Errorf("%s in %q: %q, want %q", tc.duty, tc.area, got.ID, tc.want)
		}
	}
}
