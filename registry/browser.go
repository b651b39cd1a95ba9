package registry

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// MarkBrowser gives what a browser keeps after a user has signed in with it, so that KnowsBrowser knows it again: "NUMBER.SEAL". The
// seal is of number, user and password hash: it fits one user and ends with the password.
func (r *Registry) MarkBrowser(user string) string {
	number := rand.Text()
	return number + "." + r.View().browserSeal(user, number)
}

// KnowsBrowser reports whether a mark is one that MarkBrowser gave for this user, and gives the browser's number.
func (r *Registry) KnowsBrowser(user, mark string) (number string, known bool) {
	number, seal, found := strings.Cut(mark, ".")
	if !found || len(mark) > 128 {
		return "", false
	}
	v := r.View()
	if _, exists := v.state.Users[user]; !exists {
		return "", false
	}
	want := v.browserSeal(user, number)
	return number, subtle.ConstantTimeCompare([]byte(seal), []byte(want)) == 1
}

func (v *View) browserSeal(user, number string) string {
	sum := v.hasher.sum(purposeBrowser, user, []byte(number+"\x00"+v.state.Users[user].PasswordHash))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
