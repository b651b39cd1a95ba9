package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
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

// TestALetterOfAnUnregisteredDeviceIsStoredOnceItIsRegistered, from the socket of a bridge to InfluxDB, with the program's own commands.
func TestALetterOfAnUnregisteredDeviceIsStoredOnceItIsRegistered(t *testing.T) {
	w := newTown(t)
	if code, _, stderr := call(adminPassword, "user", "add", "--data", w.data, "--name", "li", "--role", "maintainer", "--password-stdin"); code != exitOK {
		t.Fatal(stderr)
	}
	code, token, stderr := call("", "user", "token", "--data", w.data, "--name", "li")
	if code != exitOK {
		t.Fatal(stderr)
	}
	hub := startHub(t, w.data, "127.0.0.1:0", "127.0.0.1:0")
	defer hub.kill(t)
	bridge := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + hub.MQTT).SetClientID("lora").SetUsername("lora").SetPassword(deviceSecret))
	if !connected(bridge) {
		t.Fatal("the bridge is not let in")
	}
	defer bridge.Disconnect(0)
	up := fmt.Sprintf(`{"deduplicationId":"d-1","time":%q,"object":{"battery":92,"distance":700}}`, time.Now().Format(time.RFC3339Nano))
	if sent := bridge.Publish("application/a/device/24e124713d0000ff/event/up", 1, false, up); !sent.WaitTimeout(10*time.Second) || sent.Error() != nil {
		t.Fatal(sent.Error())
	}
	remote := []string{"--url", "http://" + hub.HTTP, "--token-file", write(t, t.TempDir(), "token", token)}
	redrive := func(want string) {
		t.Helper()
		var out string
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out, want); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("redrive says %q, want %q", out, want)
			}
			_, stdout, stderr := call("", append([]string{"journal", "redrive", "--all"}, remote...)...)
			out = stdout + stderr
		}
	}
	redrive("1 undecodable, points 0: nothing for the time series: topic.address: want the address of a registered device")
	add := append([]string{"registry", "add", "--id", "bin", "--model", "milesight-em310-udl", "--address", "24e124713d0000ff"}, remote...)
	if code, _, stderr := call("", add...); code != exitOK {
		t.Fatal(stderr)
	}
	redrive("1 stored, points 1")
	redrive("0 of 0 dead letters stored")
	answer, err := http.Get(w.database.URL() + "/query?db=watchhouse&q=SELECT+battery_pct+FROM+telemetry+WHERE+device%3D%27bin%27")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), ",92]]") {
		t.Errorf("InfluxDB answers %s, %v", text, err)
	}
}
