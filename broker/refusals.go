package broker

import (
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Reasons of a Refusal.
const (
	RefusedClientID = "client_id"
	RefusedWill     = "will"
)

// Refusal is why somebody who knows the secret of an account was not let in with it.
type Refusal struct {
	ClientID string // printable, shortened
	Reason   string
	At       int64 // Unix ms
}

// refusals keeps the last refusal of each account until it is let in. Only who has proved to be the account leaves one, so there are no
// more of them than accounts. Safe for concurrent use.
type refusals struct {
	mu   sync.Mutex
	last map[string]Refusal
	told map[string]time.Time
}

// refusalLogEvery is how often the log names an account that tries again and again.
const refusalLogEvery = time.Minute

// note keeps a refusal and reports whether the log should tell of it.
func (r *refusals) note(account string, x Refusal, now time.Time) (tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, ok := r.told[account]
	tell = !ok || now.Sub(before) >= refusalLogEvery || r.last[account].Reason != x.Reason
	if tell {
		r.told[account] = now
	}
	r.last[account] = x
	return tell
}

func (r *refusals) clear(account string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, account)
	delete(r.told, account)
}

// all gives a copy, nil when there are none.
func (r *refusals) all() map[string]Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == 0 {
		return nil
	}
	return maps.Clone(r.last)
}

// Refusals gives the accounts that try to sign in with the right secret and are refused all the same, and why.
func (b *Broker) Refusals() map[string]Refusal { return b.refusals.all() }

// turnDown refuses an account that has proved who it is. clientID is what it came with, secret what must not be shown of it.
func (b *Broker) turnDown(c *conn, account, clientID, secret, reason string, code packets.Code) packets.Code {
	now := time.Now()
	x := Refusal{ClientID: showable(clientID, secret), Reason: reason, At: now.UnixMilli()}
	if b.refusals.note(account, x, now) {
		b.log.Warn("sign-in refused although the secret is right", "device", account, "reason", reason, "client_id", x.ClientID,
			"remote", c.RemoteAddr().String())
	}
	return b.denied(c, account, code)
}

// maxShownClientID bounds what is shown of a client id, in runes.
const maxShownClientID = 80

// showable is a client id as the log and the page may have it: short, printable, and without the secret that some clients put there.
func showable(clientID, secret string) string {
	if secret != "" && strings.Contains(clientID, secret) {
		return "(the secret)"
	}
	var out strings.Builder
	n := 0
	for _, r := range clientID {
		if n++; n > maxShownClientID {
			out.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		out.WriteRune(r)
	}
	return out.String()
}
