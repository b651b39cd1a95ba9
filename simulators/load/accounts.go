package load

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"io"

	"watchhouse/telemetry"
)

// NewAccounts makes n accounts with fresh random secrets of 130 bits, named prefix-00000 and so on, for a throw-away registry.
func NewAccounts(prefix string, n int, kind telemetry.Kind) []Account {
	out := make([]Account, n)
	for i := range out {
		out[i] = Account{ID: fmt.Sprintf("%s-%05d", prefix, i), Secret: rand.Text(), Kind: kind}
	}
	return out
}

// WriteAccounts writes accounts as a registry CSV that ReadAccounts and the registry's import read.
func WriteAccounts(w io.Writer, accounts []Account) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"id", "kind", "secret"}}
	for _, a := range accounts {
		rows = append(rows, []string{a.ID, string(a.Kind), a.Secret})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	return nil
}
