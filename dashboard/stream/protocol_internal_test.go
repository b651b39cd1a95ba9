package stream

import (
	"encoding/json"
	"testing"
)

func FuzzParseClient(f *testing.F) {
	for _, s := range []string{
		`{"t":"hello","epoch":"k7","seq":12,"tab":"a","caps":{}}`, `{"t":"resume","epoch":"k7","seq":0}`,
		`{"t":"seen","seq":18446744073709551615}`, `{"t":"audio","state":"ok"}`, `{"t":1}`, `{"t":"seen","seq":-1}`, `[]`, `null`, "\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseClient(b)
		if err != nil {
			return
		}
		if c.T == "" || len(c.Epoch) > maxText || len(c.Tab) > maxText {
			t.Errorf("let through %+v", c)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		d, err := parseClient(again)
		if err != nil || d != c {
			t.Errorf("%s reads as %+v, then as %+v, %v", b, c, d, err)
		}
	})
}
