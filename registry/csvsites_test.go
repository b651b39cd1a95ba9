package registry

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	placesCSV   = "id,name,area,lat,lon,hours\ns1,洪安一村1号投放点,,31.25,121.56,06:30-09:00;18:00-20:30\ns2,车库,,,,\n"
	contactsCSV = "id,duty,areas,name,phone\nc1,sanitation,,王环卫,15400010001\nc2,tech,,=维修,\n"
)

func TestImportPlacesAndContacts(t *testing.T) {
	r := newPlace(t).open(t)
	for range 2 { // the second time nothing changes
		n, err := r.ImportPlaces(t.Context(), "test", strings.NewReader(placesCSV))
		if err != nil || n != 2 {
			t.Fatalf("%d places, %v", n, err)
		}
		if n, err = r.ImportContacts(t.Context(), "test", strings.NewReader(contactsCSV)); err != nil || n != 2 {
			t.Fatalf("%d contacts, %v", n, err)
		}
	}
	p, _ := r.View().Place("s1")
	if p.Name != "洪安一村1号投放点" || *p.Lat != 31.25 || p.Open(time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC)) || !p.Open(time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("have %+v", p)
	}
	reach, err := r.RevealContact("c1")
	if c, ok := r.View().Contact(DutySanitation, "area-01"); !ok || c.ID != "c1" || err != nil || reach != (Reach{"王环卫", "15400010001"}) {
		t.Errorf("have %+v, %+v, %v", c, reach, err)
	}
}

// Every faulty row is named, without what is secret in it, and nothing is imported.
func TestFaultyPlacesAndContactsAreNamed(t *testing.T) {
	r := newPlace(t).open(t)
	for _, c := range []struct {
		contacts bool
		in, want string
	}{
		{false, "", "id,name"},
		{false, "id,name,phone\n", "phone"},
		{false, "id,name,hours\na,A,\nb,B,dawn\n-,C,\n", "row 3"},
		{false, "id,name,hours\na,A,\nb,B,dawn\n-,C,\n", "row 4"},
		{false, "id,name,lat,lon\na,A,91,\n", "row 2"},
		{true, "id,name\n", "duty"},
		{true, "id,duty,name,phone\nc,cook,张三,13800000000\n", "row 2"},
		{true, "id,duty,name,phone\nc,fire,,13800000000\n", "row 2"},
	} {
		load := r.ImportPlaces
		if c.contacts {
			load = r.ImportContacts
		}
		n, err := load(t.Context(), "test", strings.NewReader(c.in))
		var faults ImportErrors
		if n != 0 || !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "张三") || strings.Contains(err.Error(), "138") {
			t.Errorf("%q: have %d, %v, want %q", c.in, n, err, c.want)
		}
	}
	if len(r.View().Places())+len(r.View().Contacts()) != 0 {
		t.Error("something was imported")
	}
}
