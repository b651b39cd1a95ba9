package load

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// consumed is Mosquitto with a consumer behind it.
func consumed(t *testing.T, name string) Pipeline {
	t.Helper()
	target := mosquitto(t)
	target.Name = name
	c, err := Consume(t.Context(), target, "wh/v1/+/telemetry")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return Pipeline{Target: target, Landed: c.Landed, Processes: []Process{{"mosquitto", target.PID}, {"this", os.Getpid()}}}
}

// A real broker and a consumer: all that was acknowledged is read at the far end, and each side takes its turn.
func TestEverythingAcknowledgedLands(t *testing.T) {
	c := Compare{Throughput: DefaultThroughput(), Rounds: 2}
	c.Clients, c.Window, c.Duration = 10, 10, 300*time.Millisecond
	r, err := c.Landings(t.Context(), consumed(t, "a"), consumed(t, "b"), nil)
	if err != nil || len(r.A) != 2 || len(r.B) != 2 {
		t.Fatalf("have %+v, %v", r, err)
	}
	for _, round := range slices.Concat(r.A, r.B) {
		if round.Landed == 0 || round.Landed != round.Total || round.During > round.Landed || round.Took < round.Config.Duration || len(round.Used) != 2 {
			t.Errorf("have %+v", round)
		}
	}
	section := r.Section()
	if !strings.Contains(section.Name, "a beside b") || len(section.Facts) != 8 || !strings.Contains(section.Facts[0].Value, "landed/s") {
		t.Errorf("section %+v", section)
	}
}

func TestWhatDoesNotLandIsAnError(t *testing.T) {
	p := consumed(t, "a")
	p.Landed = func(context.Context) (int64, error) { return 0, errors.New("no answer") }
	if _, err := DefaultThroughput().Land(t.Context(), p, nil); err == nil || err.Error() != "no answer" {
		t.Errorf("error %v", err)
	}
	p.Landed = func(context.Context) (int64, error) { return 0, nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.settle(ctx, 1, nil); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "0 of 1") {
		t.Errorf("error %v", err)
	}
}

func TestGaugesAreReadWhileTheRateRuns(t *testing.T) {
	reads := 0.0
	g := Gauges{Names: []string{"reads", "twice"}, Units: []string{"", "s"}, Read: func(context.Context) ([]float64, error) {
		reads++
		return []float64{reads, 2 * reads}, nil
	}}
	c := Rate{Clients: 2, PerSecond: 200, Payload: 90, Duration: 2500 * time.Millisecond}
	r, series, err := c.Watched(t.Context(), mosquitto(t), g, nil)
	if err != nil || r.Acked == 0 || len(series) != 2 {
		t.Fatalf("have %+v, %+v, %v", r, series, err)
	}
	if v := series[1].Values; len(v) < 2 || v[1] != 4 || series[1].Unit != "s" {
		t.Errorf("series %+v", series)
	}
	g.Read = func(context.Context) ([]float64, error) { return nil, errors.New("no metrics") }
	if _, _, err := c.Watched(t.Context(), mosquitto(t), g, nil); err == nil || !strings.Contains(err.Error(), "no metrics") {
		t.Errorf("error %v", err)
	}
}
