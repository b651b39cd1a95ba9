package registry

import (
	"strings"

	"watchhouse/telemetry"
)

// Principal is who a connection is and what it may do.
type Principal struct {
	ID     string
	Kind   telemetry.Kind // "" for a bridge or observer
	Grants []Grant        // for bridges and observers

	proof verifier // of the secret it signed in with; zero without one
}

// Authenticate checks a device, gateway, bridge or observer at CONNECT, from memory, in microseconds.
// clientID must be the username or "{username}~{suffix}". An unknown name costs what a known one costs; the answer is
// ErrUnauthorized for both, ErrClientID only to who knows the secret.
func (r *Registry) Authenticate(username, clientID string, secret []byte) (Principal, error) {
	if len(username) > 64 || len(secret) > maxSecret {
		return Principal{}, ErrUnauthorized
	}
	v := r.View()
	want, known := v.state.Verifiers[username]
	match := v.hasher.sum(purposeConnect, username, secret).equal(want)
	if !match || !known {
		return Principal{}, ErrUnauthorized
	}
	if !ownClientID(username, clientID) {
		return Principal{}, ErrClientID
	}
	who, err := v.principal(username)
	who.proof = want
	return who, err
}

// Stands reports whether who signed in earlier could sign in the same way now: it is still registered, as the same kind, and its
// secret is still the same. What it may do is asked anew each time; this says whether it may stay.
func (r *Registry) Stands(p Principal) bool {
	v := r.View()
	now, err := v.principal(p.ID)
	return err == nil && now.Kind == p.Kind && (p.proof == verifier{} || p.proof.equal(v.state.Verifiers[p.ID]))
}

// Certified admits who has proved to be username by a certificate that the caller has verified.
func (r *Registry) Certified(username, clientID string) (Principal, error) {
	who, err := r.View().principal(username)
	if err == nil && !ownClientID(username, clientID) {
		return Principal{}, ErrClientID
	}
	return who, err
}

func (v *View) principal(id string) (Principal, error) {
	if d, ok := v.state.Devices[id]; ok {
		return Principal{ID: id, Kind: d.Kind}, nil
	}
	if grants, ok := v.state.Access[id]; ok {
		return Principal{ID: id, Grants: grants}, nil
	}
	return Principal{}, ErrUnauthorized
}

// ownClientID reports whether a client id belongs to the user: its name, or its name, ~ and 1 to 64 bytes of visible ASCII.
func ownClientID(username, clientID string) bool {
	rest, ok := strings.CutPrefix(clientID, username)
	if !ok || rest == "" {
		return ok
	}
	suffix, ok := strings.CutPrefix(rest, "~")
	return ok && suffix != "" && len(suffix) <= 64 &&
		!strings.ContainsFunc(suffix, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("+#/", r) })
}
