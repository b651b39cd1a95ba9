package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// hubWithLetters answers as a hub with five letters on two pages, of which the second was redriven, and 4 cannot be.
func hubWithLetters(t *testing.T) (url string) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/journal/deadletters", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			fmt.Fprint(w, `{"items":[{"n":5,"redriven_at":0},{"n":4,"redriven_at":0},{"n":3,"redriven_at":0}],"next":"more"}`)
			return
		}
		fmt.Fprint(w, `{"items":[{"n":2,"redriven_at":1767323045678},{"n":1,"redriven_at":0}],"next":""}`)
	})
	mux.HandleFunc("POST /api/v1/journal/deadletters/{n}/redrive", func(w http.ResponseWriter, r *http.Request) {
		switch r.PathValue("n") {
		case "4":
			fmt.Fprint(w, `{"outcome":"undecodable","points":1,"reason":"battery_pct: want a number, got an array"}`)
		case "9":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"code":"not_found","detail":"There is no such record."}`)
		default:
			fmt.Fprint(w, `{"outcome":"stored","points":2,"reason":""}`)
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"unauthorized","detail":"Sign in first."}`)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRedriveOfTheCommandLine(t *testing.T) {
	hub := hubWithLetters(t)
	good, bad := write(t, t.TempDir(), "token", "sesame\n"), write(t, t.TempDir(), "token", "guessed")
	for name, c := range map[string]struct {
		token string
		args  []string
		code  int
		out   string
		err   string
	}{
		"all": {good, []string{"--all"}, exitFailed, "1 stored, points 2\n3 stored, points 2\n" +
			"4 undecodable, points 1: battery_pct: want a number, got an array\n5 stored, points 2\n", "3 of 4 dead letters stored"},
		"two":     {good, []string{"5", "1"}, exitOK, "5 stored, points 2\n1 stored, points 2\n", "2 of 2"},
		"absent":  {good, []string{"9"}, exitFailed, "", "dead letter 9: the hub answers 404 not_found: There is no such record."},
		"foreign": {bad, []string{"--all"}, exitFailed, "", "list dead letters: the hub answers 401 unauthorized: Sign in first."},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := call("", append([]string{"journal", "redrive", "--url", hub, "--token-file", c.token}, c.args...)...)
			if code != c.code || out != c.out || !strings.Contains(errs, c.err) {
				t.Errorf("code %d, want %d\n%s\nwant\n%s\nstderr %q, want %q", code, c.code, out, c.out, errs, c.err)
			}
		})
	}
}
