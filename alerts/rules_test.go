package alerts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestShippedRules hold the numbers that the control room relies on.
func TestShippedRules(t *testing.T) {
	r, err := LoadRules("")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]struct {
		p     Priority
		class Class
	}{
		"EB-SOS": {1, "person"}, "EB-FALL": {1, "person"}, "EB-UNREADABLE": {1, "person"}, "EB-UNREG": {1, "person"},
		"SH-PANIC": {1, "duress"}, "SH-FIRE": {1, "fire"}, "EB-OFFLINE": {3, "tech"}, "SH-OFFLINE": {2, "tech"},
	} {
		x := r.byID[id]
		if x == nil || x.Priority != want.p || x.Class != want.class || x.Title.ZH == "" || x.Title.EN == "" {
			t.Errorf("%s: %+v", id, x)
		}
	}
	if c := r.clocksOf("EB-SOS", 1); c.Progress != 2*time.Minute || len(c.Escalation) != 4 {
		t.Errorf("clocks of a call %+v", c)
	}
	if e, ok := r.clocksOf("EB-OFFLINE", 3).step("overdue"); !ok || e.After != 4*time.Hour || e.RaiseTo != 2 {
		t.Errorf("silent button %+v", e)
	}
}

// TestRuleFaults: each fault of a file is named with its line and column.
func TestRuleFaults(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"a misspelt key", "    latch: true\n    dedupe: call", "    lach: true\n    dedupe: call", `:50:5: unknown field "lach"`},
		{"broken YAML", "version: 1", "version: [1", ":"},
		{"a wrong type", "    priority: 1\n    latch: true\n    dedupe", "    priority: high\n    latch: true\n    dedupe", ":49:15: "},
		{"an unknown name in an expression", `registered && type == "sos"`, `registered && typ == "sos"`, ":47:12: expression, line 1, column 15: unknown name typ"},
		{"an expression of another type", `raise: registered && type == "sos"`, `raise: type`, ":47:12: expression"},
		{"a P1 that clears itself", "    class: person\n    priority: 1\n    latch: true\n    dedupe: call\n    receipt: received\n    response: 立即受理并回拨;无人", "    class: person\n    priority: 1\n    auto_clear: true\n    latch: true\n    response: 立即受理并回拨;无人", ":50:17: priority 1 is never cleared by a machine"},
		{"a P1 that is not latched", "    latch: true\n    dedupe: call", "    latch: false\n    dedupe: call", ":50:12: priority 1 must be latched"},
		{"a P1 that can be shelved", "    latch: true\n    dedupe: call", "    latch: true\n    shelvable: true", ":51:16: priority 1 is never shelved"},
		{"a P1 that is suppressed", "    latch: true\n    dedupe: call", "    latch: true\n    suppress_when: [out_of_service]", "priority 1 is never suppressed"},
		{"a rate limit", "    latch: true\n    dedupe: call", "    latch: true\n    rate_limit: 1/m", `unknown field "rate_limit"`},
		{"a P1 that rings late", "{name: louder, after: 15s}", "{name: louder, after: 16s}", ":16:7: priority 1 needs louder within 15s"},
		{"a P1 that never reaches the leader", "      - {name: l3, after: 180s, supersedes: [louder]}\n", "", "priority 1 needs l3 within 3m0s"},
		{"a P1 without a promise", "    progress: 120s", "    progress: 121s", ":21:15: priority 1 needs progress within 2m0s"},
		{"a P1 that closes itself", "    review: 24h\n  2:", "    review: 24h\n    close: 1h\n  2:", "priority 1 never closes itself"},
		{"escalated to P1 by a clock", "raise_to: 2", "raise_to: 1", "only a message or a person makes an incident priority 1"},
		{"a P1 of silence", "    class: tech\n    priority: 2\n    auto_clear", "    class: tech\n    priority: 1\n    auto_clear", "silence is never priority 1"},
		{"no response", "    response: 立即受理并回拨;无人应答即派最近平安屋上门。\n", "", "every rule says what the operator should do"},
		{"a rule twice", "id: EB-FALL", "id: EB-SOS", ":57:9: id EB-SOS is used twice"},
		{"no panic any more", `type in ["panic", "duress"]`, `type in ["duress"]`, "no rule of priority 1 covers panic from a safety house"},
		{"no sos any more", `type == "sos"`, `type == "s0s"`, "no rule of priority 1 covers sos from an emergency button"},
		{"nothing unreadable any more", "(!readable || !known)", "!known && readable", "no rule of priority 1 covers an unreadable event from an emergency button"},
		{"no manual rule", "id: MANUAL", "id: BY-HAND", "rule MANUAL is missing"},
		{"an unknown class", "class: duress", "class: panic", "want person, duress, fire"},
		{"an odd id", "id: EB-SOS", "id: eb_sos", "want an id like EB-SOS"},
		{"another version", "version: 1", "version: 2", ":4:10: want version 1, got 2"},
		{"an unknown suppressor", "suppress_when: [out_of_service]", "suppress_when: [lunch]", `"lunch": want out_of_service`},
		{"no clocks of P3", "\n  3:\n", "\n  5:\n", "clocks of priority 3 are missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := strings.Replace(string(shipped), c.from, c.to, 1)
			if src == string(shipped) {
				t.Fatal("the case changes nothing")
			}
			file := filepath.Join(t.TempDir(), "r.yaml")
			if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := LoadRules(file)
			var fault *RuleError
			if !errors.As(err, &fault) || fault.Line < 1 || fault.Column < 1 {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), file+":") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s", err, c.want)
			}
		})
	}
	if _, err := LoadRules(filepath.Join(t.TempDir(), "absent.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte("version: 1\nclocks: {1: {}}\nrules: [null, {id: A}]"))
	f.Add([]byte("rules:\n  - id: EB-SOS\n    kind: event\n    raise: \"1 +\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := ParseRules(RuleSource{"f.yaml", src})
		if err == nil {
			if r.Hash() == "" || len(r.list) == 0 {
				t.Fatalf("accepted without rules: %s", src)
			}
			return
		}
		var fault *RuleError
		if !errors.As(err, &fault) || fault.File != "f.yaml" || fault.Line < 1 {
			t.Fatalf("%v without a place", err)
		}
	})
}

// A console in English says what is to be done in English: every shipped rule has both.
func TestShippedRulesSpeakBothLanguages(t *testing.T) {
	chinese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	for _, r := range shippedRules(t).List() {
		if r.Title.ZH == "" || r.Title.EN == "" || chinese(r.Title.EN) {
			t.Errorf("%s: title %+v", r.ID, r.Title)
		}
		if (r.Response == "") != (r.ResponseEN == "") || chinese(r.ResponseEN) {
			t.Errorf("%s: response %q, in English %q", r.ID, r.Response, r.ResponseEN)
		}
	}
}
