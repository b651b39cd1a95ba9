package testkit

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"

	"watchhouse/alerts"
)

// Operator is a signed-in browser without the page.
type Operator struct {
	tb     testing.TB
	base   string
	client *http.Client
}

// SignIn signs in as a user; "admin" has Password.
func (h *Hub) SignIn(user, password string) *Operator {
	h.tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	o := &Operator{tb: h.tb, base: "http://" + h.HTTPAddr(), client: &http.Client{Jar: jar}}
	o.Want(http.StatusOK, "POST", "/api/v1/login", map[string]string{"user": user, "password": password}, nil)
	return o
}

// Want sends a request, fails the test unless it answers status, and decodes the body into result.
func (o *Operator) Want(status int, method, path string, body, result any, headers ...string) {
	o.tb.Helper()
	have, text := o.Do(method, path, body, headers...)
	if have != status {
		o.tb.Fatalf("%s %s: status %d, want %d: %s", method, path, have, status, text)
	}
	if result != nil {
		if err := json.Unmarshal(text, result); err != nil {
			o.tb.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// Do sends a request with headers given in pairs.
func (o *Operator) Do(method, path string, body any, headers ...string) (int, []byte) {
	o.tb.Helper()
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			o.tb.Fatal(err)
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(o.tb.Context(), method, o.base+path, payload)
	if err != nil {
		o.tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := o.client.Do(request)
	if err != nil {
		o.tb.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, text
}

// OpenIncidents lists what is open.
func (o *Operator) OpenIncidents() []alerts.Incident {
	o.tb.Helper()
	var list struct {
		Items []alerts.Incident `json:"items"`
	}
	o.Want(http.StatusOK, "GET", "/api/v1/incidents?state=open&limit=500", nil, &list)
	return list.Items
}
