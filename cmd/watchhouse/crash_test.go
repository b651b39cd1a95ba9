package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	adminPassword = "correct horse battery staple"
	deviceSecret  = "a-device-secret-of-a-test"
	killRounds    = 12 // the journal's own loop kills far more often; this one covers the way from the socket to the card
	buttons       = 8
)

// TestKilledHubLosesNothingAndDoublesNothing kills the whole program under load, again and again, over one data folder. At the end every
// press that was acknowledged is in the journal, and each button's incidents count its presses once.
func TestKilledHubLosesNothingAndDoublesNothing(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for n := range buttons {
		id := fmt.Sprintf("btn-%d", n)
		if code, _, stderr := call("", "registry", "add", "--data", data, "--id", id, "--kind", "emergency_button", "--secret", deviceSecret); code != exitOK {
			t.Fatal(stderr)
		}
	}
	hub := startHub(t, data, "127.0.0.1:0", "127.0.0.1:0")
	presses := startPresses(t, hub.MQTT)
	for range killRounds {
		presses.waitForMore(t, 20)
		time.Sleep(rand.N(50 * time.Millisecond)) // where in a commit the kill falls is the point of this test
		hub.kill(t)
		hub = startHub(t, data, hub.HTTP, hub.MQTT)
	}
	acked := presses.stop()
	occurrences := hub.waitForOccurrences(t, acked)
	hub.kill(t)
	compare(t, acked, stored(t, data), occurrences)
}

// compare wants every acknowledged press stored, and as many occurrences as distinct stored presses.
func compare(t *testing.T, acked, kept map[string]map[int]bool, occurrences map[string]int) {
	t.Helper()
	total := 0
	for id, seqs := range acked {
		for seq := range seqs {
			if total++; !kept[id][seq] {
				t.Errorf("press %d of %s was acknowledged and is not stored", seq, id)
			}
		}
		if occurrences[id] != len(kept[id]) {
			t.Errorf("%s: %d occurrences for %d distinct presses", id, occurrences[id], len(kept[id]))
		}
	}
	t.Logf("%d acknowledged presses over %d kills", total, killRounds)
}

// child is a running program and the addresses of its ready line.
type child struct {
	cmd        *exec.Cmd
	HTTP, MQTT string
	stderr     *bytes.Buffer
}

func startHub(t *testing.T, data, httpAddr, mqttAddr string) *child {
	t.Helper()
	c := &child{cmd: program(t, "serve", "--data", data, "--http", httpAddr, "--mqtt", mqttAddr), stderr: &bytes.Buffer{}}
	c.cmd.Stderr = c.stderr
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		_ = c.cmd.Wait()
		t.Fatalf("no ready line: %v\n%s", err, c.stderr)
	}
	if err := json.Unmarshal(line, c); err != nil {
		t.Fatalf("ready line %q: %v", line, err)
	}
	return c
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // it was killed
}

// waitForOccurrences polls until the open incidents count at least what was acknowledged.
func (c *child) waitForOccurrences(t *testing.T, acked map[string]map[int]bool) map[string]int {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	login, err := client.Post("http://"+c.HTTP+"/api/v1/login", "application/json", strings.NewReader(`{"user":"admin","password":"`+adminPassword+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	login.Body.Close()
	deadline := time.Now().Add(20 * time.Second)
	for {
		have, complete := occurrences(t, client, c.HTTP), true
		for id, seqs := range acked {
			complete = complete && have[id] >= len(seqs)
		}
		if complete || time.Now().After(deadline) {
			return have
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func occurrences(t *testing.T, client *http.Client, addr string) map[string]int {
	t.Helper()
	response, err := client.Get("http://" + addr + "/api/v1/incidents?limit=500")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var list struct {
		Items []struct {
			Device      string
			Occurrences int
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, item := range list.Items {
		counts[item.Device] += item.Occurrences
	}
	return counts
}

// presses are buttons that press as fast as they are acknowledged and remember what was.
type presses struct {
	mu     sync.Mutex
	acked  map[string]map[int]bool
	count  int
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startPresses(t *testing.T, addr string) *presses {
	ctx, cancel := context.WithCancel(t.Context())
	p := &presses{acked: map[string]map[int]bool{}, cancel: cancel}
	for n := range buttons {
		id := fmt.Sprintf("btn-%d", n)
		p.acked[id] = map[int]bool{}
		p.done.Go(func() { p.press(ctx, addr, id) })
	}
	t.Cleanup(func() { p.stop() })
	return p
}

// press sends each number until it is acknowledged, over as many connections as that takes.
func (p *presses) press(ctx context.Context, addr, id string) {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetUsername(id).SetPassword(deviceSecret).
		SetAutoReconnect(false).SetConnectTimeout(time.Second))
	defer client.Disconnect(0)
	for seq := 1; ctx.Err() == nil; {
		if !client.IsConnectionOpen() && !connected(client) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		token := client.Publish("wh/v1/"+id+"/event", 1, false, fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d}`, seq))
		if token.WaitTimeout(2*time.Second) && token.Error() == nil && client.IsConnectionOpen() {
			p.note(id, seq)
			seq++
		}
		time.Sleep(5 * time.Millisecond) // a person's finger: what is tested is the crash, not the rate
	}
}

func connected(client mqtt.Client) bool {
	token := client.Connect()
	return token.WaitTimeout(time.Second) && token.Error() == nil
}

func (p *presses) note(id string, seq int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked[id][seq] = true
	p.count++
}

func (p *presses) waitForMore(t *testing.T, n int) {
	t.Helper()
	p.mu.Lock()
	target := p.count + n
	p.mu.Unlock()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p.mu.Lock()
		count := p.count
		p.mu.Unlock()
		if count >= target {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d acknowledged, want %d within 30s", count, target)
		}
	}
}

func (p *presses) stop() map[string]map[int]bool {
	p.cancel()
	p.done.Wait()
	return p.acked
}

// stored gives the distinct presses that `journal cat` prints.
func stored(t *testing.T, data string) map[string]map[int]bool {
	t.Helper()
	code, stdout, stderr := call("", "journal", "cat", "--data", data, "--lane", "event")
	if code != exitOK {
		t.Fatalf("journal cat: %s", stderr)
	}
	kept := map[string]map[int]bool{}
	for lines := json.NewDecoder(strings.NewReader(stdout)); ; {
		var line struct {
			Device  string
			Payload struct{ Seq int }
		}
		if err := lines.Decode(&line); err == io.EOF {
			return kept
		} else if err != nil {
			t.Fatal(err)
		}
		if kept[line.Device] == nil {
			kept[line.Device] = map[int]bool{}
		}
		kept[line.Device][line.Payload.Seq] = true
	}
}
