package hub

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStopsRunInReverseOrderAndEveryFaultIsNamed(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	var order []string
	for _, name := range []string{"journal", "broker", "http"} {
		l.onStop(name, time.Second, func(context.Context) error {
			order = append(order, name)
			if name == "broker" {
				return errors.New("still busy")
			}
			return nil
		})
	}
	err := l.stop(t.Context())
	if diff := cmp.Diff([]string{"http", "broker", "journal"}, order); diff != "" {
		t.Errorf("order (-want +have):\n%s", diff)
	}
	if err == nil || !strings.Contains(err.Error(), "stop broker: still busy") {
		t.Errorf("error %v, want the broker named", err)
	}
	if again := l.stop(t.Context()); again == nil || len(order) != 3 {
		t.Errorf("a second stop ran again or forgot its error: %v, %v", again, order)
	}
}

func TestAStopThatHangsIsCutOffAndTheOthersStillRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		closed := false
		l.onStop("journal", time.Second, func(context.Context) error { closed = true; return nil })
		l.goWorker("stuck", 5*time.Second, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return nil
		})
		began := time.Now()
		err := l.stop(context.Background())
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v, want the limit of 5s", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !closed {
			t.Errorf("error %v, journal closed %v", err, closed)
		}
		time.Sleep(time.Minute) // lets the stuck worker end before the bubble does
	})
}

func TestAStopThatIgnoresItsContextIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		closed := false
		l.onStop("journal", time.Second, func(context.Context) error { closed = true; return nil })
		l.onStop("deaf", 5*time.Second, func(context.Context) error { time.Sleep(time.Minute); return nil })
		began := time.Now()
		err := l.stop(context.Background())
		if took := time.Since(began); took != 5*time.Second+stopGrace {
			t.Errorf("took %v, want the limit of 5s and the grace", took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !closed {
			t.Errorf("error %v, journal closed %v", err, closed)
		}
		time.Sleep(time.Minute) // lets the deaf stop end before the bubble does
	})
}

func TestAWorkerThatEndsByItselfIsAFailureWithItsName(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	l.goWorker("alerts", time.Second, func(context.Context) error { return errors.New("ledger conflict") })
	if err := <-l.failure; err == nil || !strings.Contains(err.Error(), "alerts ended: ledger conflict") {
		t.Errorf("failure %v, want the worker named", err)
	}
	_ = l.stop(t.Context())
}
