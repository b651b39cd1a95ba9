package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPlacesAndContactsAreImported(t *testing.T) {
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	for _, c := range []struct {
		command, in, want string
		code              int
	}{
		{"places", "id,name,hours\ns1,一号投放点,06:30-09:00\n", "added 1, changed 0 places", exitOK},
		{"contacts", "id,duty,name\nc1,fire,微型消防站\n", "added 1, changed 0 contacts", exitOK},
		{"places", "id,name,hours\ns1,一号投放点,dawn\n", "nothing was imported", exitBadConfig},
	} {
		code, _, stderr := call("", "registry", c.command, "--data", data, write(t, folder, "in.csv", c.in))
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: code %d, %q, want %q", c.command, code, stderr, c.want)
		}
	}
}
