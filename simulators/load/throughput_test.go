package load

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/simulators/packet"
	"watchhouse/telemetry"
)

func mosquitto(t *testing.T) Target {
	t.Helper()
	m, err := StartMosquitto(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m.Target()
}

// A real broker, whole windows: all that was published is acknowledged at the end, and the histogram has what was counted.
func TestClosedLoopAgainstMosquitto(t *testing.T) {
	target := mosquitto(t)
	c := DefaultThroughput()
	c.Clients, c.Window, c.Duration, c.Warmup = 20, 10, 500*time.Millisecond, 100*time.Millisecond
	for _, c := range []Throughput{c, c.Pipelined(200)} {
		r, err := c.Run(t.Context(), target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Acked == 0 || r.Unacked != 0 || r.Broken != 0 || r.Latency.TotalCount() != r.Acked {
			t.Errorf("%d clients: have %+v", c.Clients, r)
		}
	}
}

// The numbers of a process are read from the system: CPU time grows with work, memory is there, and an unknown process has neither.
func TestProcessNumbers(t *testing.T) {
	self := os.Getpid()
	before, deadline := ProcessCPU(self), time.Now().Add(20*time.Second)
	for sum := 0; ProcessCPU(self) < before+20*time.Millisecond; sum++ {
		if time.Now().After(deadline) {
			t.Fatalf("20 s of work show as %v", ProcessCPU(self)-before)
		}
	}
	if rss := ProcessRSS(self); rss < 1<<20 {
		t.Errorf("resident memory of %d bytes", rss)
	}
	if ProcessCPU(0) != 0 || ProcessRSS(0) != 0 {
		t.Error("an unknown process has numbers")
	}
}

func TestRateIsKeptAgainstMosquitto(t *testing.T) {
	c := Rate{Clients: 10, PerSecond: 2000, Payload: 90, Duration: time.Second}
	r, err := c.Run(t.Context(), mosquitto(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Acked != r.Sent || r.Sent < 1500 || r.Sent > 2100 || r.Broken != 0 || r.Latency.TotalCount() != r.Sent {
		t.Errorf("have %d sent and %d acknowledged in %v, %d broken; want 2000", r.Sent, r.Acked, r.Elapsed, r.Broken)
	}
}

// Connections that the broker ends are made again and go on; what was lost with them is not counted as acknowledged.
func TestRateGoesOnAfterBrokenConnections(t *testing.T) {
	h := newStubHub(t, 0)
	h.drop = 3
	r, err := Rate{Clients: 2, PerSecond: 200, Payload: 80, Duration: 4 * time.Second}.Run(t.Context(), h.target(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken != 3 || r.Acked >= r.Sent || r.Acked < 100 || r.Latency.TotalCount() != r.Acked {
		t.Errorf("have %d sent, %d acknowledged, %d broken", r.Sent, r.Acked, r.Broken)
	}
}

func TestIdleConnectionsStayAliveFromManyAddresses(t *testing.T) {
	target := mosquitto(t)
	target.Sources = 5
	r, err := Idle{Clients: 40, Width: 8, Hold: 10 * time.Millisecond}.Run(t.Context(), target, nil)
	if err != nil || r.Alive != 40 || r.Before == 0 || r.After < r.Before {
		t.Errorf("have %+v, %v", r, err)
	}
}

func TestCompareTakesTurnsAndMedians(t *testing.T) {
	a, b := mosquitto(t), mosquitto(t)
	a.Name = "a"
	b.Name = "b"
	c := Compare{Throughput: DefaultThroughput(), Rounds: 3}
	c.Clients, c.Window, c.Duration, c.Warmup = 2, 4, 50*time.Millisecond, 0
	var order []string
	r, err := c.Run(t.Context(), a, b, func(stage string, _, _ int) {
		if name, ok := strings.CutPrefix(stage, "connecting "); ok {
			order = append(order, name)
		}
	})
	if err != nil || len(r.A) != 3 || len(r.B) != 3 || r.Ratio <= 0 {
		t.Fatalf("have %+v, %v", r, err)
	}
	if !slices.Equal(order, []string{"a", "b", "b", "a", "a", "b"}) {
		t.Errorf("order of runs: %v", order)
	}
	if have := median([]ThroughputResult{{PerSecond: 9}, {PerSecond: 1}, {PerSecond: 4}}); have != 4 {
		t.Errorf("median of 9, 1, 4: %v", have)
	}
	if have := median([]ThroughputResult{{PerSecond: 1}, {PerSecond: 4}}); have != 2.5 {
		t.Errorf("median of 1, 4: %v", have)
	}
}

// Payloads that shall not compress do not; a call is an event of the type sos.
func TestRandomTemplatesAndCalls(t *testing.T) {
	tmpl := newTemplate("btn-0001", Throughput{Channel: channelCall, Payload: 128, Random: true})
	var all []byte
	for range 100 {
		all = tmpl.appendMessage(all, 1, 1763888888123)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(all)
	_ = z.Close()
	if packed.Len() < len(all)/5 { // 60 digits of 3.3 bits in 160 bytes
		t.Errorf("%d bytes of random payloads pack into %d", len(all), packed.Len())
	}
	if !bytes.Contains(all, []byte("wh/v1/btn-0001/event{\"type\":\"sos\"")) && !bytes.Contains(all, []byte(`{"type":"sos"`)) {
		t.Error("a call is none")
	}
}

// Every message of a template is a valid PUBLISH with a payload of the size asked for and a number of its own.
func TestTemplate(t *testing.T) {
	for _, cfg := range []Throughput{
		{Channel: "telemetry", Payload: 120}, {Channel: "event", Payload: 120}, {Channel: "telemetry", Payload: 120, Random: true},
		{Channel: "event", Payload: 120, Random: true},
	} {
		channel := cfg.Channel
		tmpl := newTemplate("btn-0001", cfg)
		for n := range 3 {
			wire := tmpl.appendMessage(nil, uint16(n+1), 1763888888123+int64(n))
			p, err := packet.NewReader(bytes.NewReader(wire), 16, 1024).Next()
			if err != nil {
				t.Fatal(err)
			}
			m, err := p.Publish()
			if err != nil || m.Topic != "wh/v1/btn-0001/"+channel || m.ID != uint16(n+1) || m.QoS != 1 || len(m.Payload) != 120 {
				t.Fatalf("have %+v of %d bytes, %v", m, len(m.Payload), err)
			}
			var body struct {
				TS  int64
				Seq uint32
			}
			if err := json.Unmarshal(m.Payload, &body); err != nil || body.TS != 1763888888123+int64(n) || body.Seq != firstSeq+uint32(n) {
				t.Errorf("%s: have %+v, %v", m.Payload, body, err)
			}
		}
	}
}

func TestAccountsRoundTrip(t *testing.T) {
	want := NewAccounts("btn", 3, telemetry.EmergencyButton)
	var file bytes.Buffer
	if err := WriteAccounts(&file, want); err != nil {
		t.Fatal(err)
	}
	have, err := ReadAccounts(&file)
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("have %v, %v, want %v", have, err, want)
	}
	if want[0].Secret == want[1].Secret || len(want[0].Secret) < 26 {
		t.Errorf("secrets %q and %q are not worth the name", want[0].Secret, want[1].Secret)
	}
	if _, err := ReadAccounts(strings.NewReader("id,kind\na,b\n")); err == nil {
		t.Error("a file without secrets is taken")
	}
}

func TestWhatCannotRunSaysSo(t *testing.T) {
	good := DefaultThroughput()
	for name, spoil := range map[string]func(*Throughput){
		"clients":  func(c *Throughput) { c.Clients = 0 },
		"window":   func(c *Throughput) { c.Window = 1 << 16 },
		"channel":  func(c *Throughput) { c.Channel = "status" },
		"duration": func(c *Throughput) { c.Duration = 0 },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: have %v", name, err)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	few := Target{Name: "x", Accounts: make([]Account, 3)}
	if _, err := good.Run(t.Context(), few, nil); err == nil || !strings.Contains(err.Error(), "3 accounts") {
		t.Errorf("too few accounts: %v", err)
	}
	if _, err := StartMosquitto(t.Context(), "no-such-broker"); err == nil {
		t.Error("a broker that does not exist was started")
	}
}

// Stopping in the middle ends everything at once.
func TestCancelEndsARun(t *testing.T) {
	c := DefaultThroughput()
	c.Clients, c.Window, c.Duration = 2, 4, time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Run(ctx, mosquitto(t), nil); err == nil {
		t.Error("a stopped run is no result")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v to stop", d)
	}
}
