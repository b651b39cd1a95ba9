package scan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// tree reads a payload with the scanner's own steps; ok is false when it is cut.
func tree(s *Scanner, depth int) (v any, ok bool) {
	switch c := s.Peek(); {
	case depth > 200:
		return nil, false
	case c == '{':
		return object(s, depth)
	case c == '[':
		s.Take('[')
		list := []any{}
		for {
			more, err := s.Next(']')
			if err != nil || !more {
				return list, err == nil
			}
			e, ok := tree(s, depth+1)
			if !ok {
				return nil, false
			}
			list = append(list, e)
			settled := Value{Shape: Object}
			if !s.Settle(&settled) {
				return nil, false
			}
		}
	}
	return scalar(s.Value())
}

func object(s *Scanner, depth int) (any, bool) {
	s.Take('{')
	m := map[string]any{}
	for {
		name, more, err := s.Name()
		if err != nil || !more {
			return m, err == nil
		}
		v, ok := tree(s, depth+1)
		settled := Value{Shape: Object}
		if !ok || !s.Settle(&settled) {
			return nil, false
		}
		key, _ := Value{String, name}.Text()
		m[key] = v
	}
}

func scalar(v Value) (any, bool) {
	switch v.Shape {
	case Nothing:
		return nil, false
	case String:
		text, _ := v.Text()
		return text, true
	case Number:
		return json.Number(v.Raw), true
	case True, False:
		return v.Shape == True, true
	case Null:
		return nil, true
	}
	return v.Shape, true
}

// What is JSON is read as encoding/json reads it; whatever else it is, the scanner returns, and never goes back.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,{"b":null}],"c":"\u5317\ud83d\ude00\n","d":true}`, `[]`, `{"a" 1,,"b":NaN}`, "\xff\xfe{\x00}\x00", `"\ud800"`, `{"a":1}}`,
		"{\"x\":\"\xd5\\\"}", `[1 2 "3"{"a":]}`, `{{{`, `]`, "", "{\"a\":\"\xe5\x8c\"}", `-0.0E-0`, `{"a":{"a":1},"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		s := Open(p)
		got, ok := tree(&s, 0)
		s.Close()
		if !json.Valid(p) || p[0] == 0 || len(p) > 1 && p[1] == 0 {
			return
		}
		d := json.NewDecoder(bytes.NewReader(p))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil || strings.Contains(string(p), "\xff") || bytes.IndexFunc(p, func(r rune) bool { return r == '\uFFFD' }) >= 0 {
			return // encoding/json puts U+FFFD for bytes that are not UTF-8
		}
		if ok && (!reflect.DeepEqual(got, want) || s.Flaw() != nil) {
			t.Fatalf("%q is %#v with flaw %v, want %#v", p, got, s.Flaw(), want)
		}
		if !ok && strings.Count(string(p), "[")+strings.Count(string(p), "{") < 200 {
			t.Fatalf("%q is cut", p)
		}
	})
}

// Text that two alphabets share: a backslash that is the second half of a character of GBK escapes nothing.
func TestStringsEndWhereTheyEnd(t *testing.T) {
	for p, want := range map[string]string{
		`"a\"b"x`: `a\"b`, `"a\\"x`: `a\\`, "\"\xd5\\\"x": "\xd5\\", "\"北\\\"\"x": "北\\\"", "\"\xb1\xb1\\\"\"x": "", "\"\"": "",
	} {
		s := Open([]byte(p))
		if v := s.Value(); want != "" && (v.Shape != String || string(v.Raw) != want) {
			t.Errorf("%q is %s %q, want %q", p, v.Shape, v.Raw, want)
		}
	}
}

// The work is linear in the payload, whatever the damage: a step reads a byte at most twice.
func BenchmarkDamage(b *testing.B) {
	for name, unit := range map[string]string{"quotes": `"`, "names": `"a" `, "braces": `{`, "colons": `:`, "backslashes": `\"`, "strings": `"a":"b" "c" `} {
		for _, n := range []int{1 << 12, 1 << 16} {
			p := []byte("{" + strings.Repeat(unit, n/len(unit)))
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					s := Open(p)
					if s.Take('{') {
						for {
							if _, _, more, err := s.Member(); err != nil || !more {
								break
							}
						}
					}
				}
			})
		}
	}
}
