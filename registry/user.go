package registry

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// User of the console.
type User struct {
	Name     string `json:"name"`
	Role     Role   `json:"role"`
	House    string `json:"house,omitempty"` // a guard's house
	Disabled bool   `json:"disabled,omitempty"`
}

// userRecord is a user as kept; an empty hash means that nobody can sign in with a password.
type userRecord struct {
	User
	PasswordHash string `json:"password_hash,omitempty"`
}

const wantUserName = "1 to 64 bytes of letters, digits, . _ - or @, beginning with a letter or digit"

func validUserName(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if s == "" || len(s) > 64 || !utf8.ValidString(s) || !unicode.IsLetter(first) && !unicode.IsDigit(first) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-@", r)
	})
}

// TokenInfo describes a bearer token; the token itself is shown once, when it is made.
type TokenInfo struct {
	User      string `json:"user"`
	Name      string `json:"name"` // what it is for, unique for the user
	CreatedMS int64  `json:"created_ms"`
}
