package ingest

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"watchhouse/ingest/influxdb"
	"watchhouse/journal"
	"watchhouse/registry"
)

// childEnv tells the test binary to be the process that is killed: "FOLDER URL FIRST".
const childEnv = "INGEST_TEST_CHILD"

// childMain journals numbered readings, prints each number once it is on disk, and ingests all the while.
func childMain() int {
	args := strings.Fields(os.Getenv(childEnv))
	first, _ := strconv.Atoi(args[2])
	j, err := openJournalIn(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cfg := DefaultConfig()
	cfg.URL, cfg.BatchSize = args[1], 200
	i, err := New(cfg, Deps{Journal: j, Registry: new(registry.Registry), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	i.devices = func() directory { return devices{} }
	i.limits.linger = 5 * time.Millisecond
	go func() { _ = i.Run(context.Background()) }()
	out := bufio.NewWriter(os.Stdout)
	for n := first; ; n += 20 {
		var wg sync.WaitGroup
		wg.Add(20)
		for _, m := range numbered(n, 20) {
			if err := j.Lane(journal.TelemetryLane).Submit(m, func(journal.Receipt, error) { wg.Done() }); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		wg.Wait()
		fmt.Fprintln(out, n+20)
		out.Flush()
		time.Sleep(time.Millisecond)
	}
}

// runChild lets the child work for a while after its first acknowledgement, kills it, and returns the last number acknowledged.
func runChild(t *testing.T, dir, url string, first int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", childEnv, dir, url, first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := first
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if timer == nil {
			timer = time.AfterFunc(50*time.Millisecond+rand.N(200*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			last = n
		}
	}
	_ = cmd.Wait()
	if timer == nil {
		t.Fatal("the child acknowledged nothing")
	}
	return last
}

func TestSIGKILLOfTheHubAndOfTheDatabaseLosesAndDoublesNothing(t *testing.T) {
	server := ownServer(t, influxdb.Config{NoFlux: true})
	s := storeOf(t, server)
	dir := filepath.Join(t.TempDir(), "data")
	const kills = 12
	acked, next := 0, 0
	for k := range kills {
		last := runChild(t, dir, server.URL(), next)
		acked += last - next
		next = last + 20 // the last group may be on disk without having been acknowledged
		if k%4 == 3 {
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	j := openJournal(t, dir)
	journaled := laneEntries(t, j)
	r := rigOn(t, j, s.config(), nil)
	r.run()
	r.drained()
	got := s.count("temp_c")
	if got != journaled {
		t.Errorf("%d points for %d journaled readings", got, journaled)
	}
	if got < acked {
		t.Errorf("%d points for %d acknowledged readings", got, acked)
	}
	t.Logf("%d kills, %d readings acknowledged, %d journaled, %d in the database", kills, acked, journaled, got)
}

// laneEntries counts the readings in the journal.
func laneEntries(t *testing.T, j *journal.Journal) int {
	t.Helper()
	n := 0
	for pos := (journal.Position{}); ; {
		entries, next, err := j.Lane(journal.TelemetryLane).Read(t.Context(), pos, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return n
		}
		for _, e := range entries {
			if e.Kind == journal.Publish {
				n++
			}
		}
		pos = next
	}
}
