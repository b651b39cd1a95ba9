package journal

import (
	"sync/atomic"
	"testing"
	"time"

	"watchhouse/journal/engine/enginetest"
)

// What gathers while a commit is on its way goes into the next one as a whole, in however many frames: on a disk that takes a
// third of a second to sync, a lane that commits one frame at a time would take a few thousand messages a second.
func TestOneCommitTakesAllThatGathered(t *testing.T) {
	s := newStores()
	j := openOn(t, s, t.TempDir())
	var commits atomic.Int64
	entered, slow := make(chan struct{}, 1), make(chan struct{})
	s.at(lifeFile).Inject(func(string, uint64) enginetest.Fault {
		if commits.Add(1) == 1 {
			entered <- struct{}{}
			<-slow
		}
		return enginetest.Succeed
	})
	l := j.Lane(EventLane)
	const n = 20_000 // about 600 frames of 4 KiB
	receipts := make(chan Receipt, n)
	for i := range n {
		err := l.Submit(press(i), func(r Receipt, err error) {
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			receipts <- r
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-entered
		}
	}
	close(slow)
	for i := range uint64(n) {
		if r := <-receipts; r.ID != i+1 {
			t.Fatalf("receipt %d, want %d", r.ID, i+1)
		}
	}
	if got := commits.Load(); got != 2 {
		t.Errorf("%d commits, want one for the first message and one for all that waited", got)
	}
	if es := readAll(t, l, 1000); len(es) != n || es[n-1].Pos.Frame < 100 {
		t.Errorf("%d entries in %d frames", len(es), es[len(es)-1].Pos.Frame)
	}
	closeIt(t, j)
	if es := readAll(t, openAgain(t, s).Lane(EventLane), 1000); len(es) != n {
		t.Errorf("%d entries after a restart, want %d", len(es), n)
	}
}

func openAgain(t *testing.T, s *stores) *Journal {
	t.Helper()
	j := openOn(t, s, t.TempDir())
	t.Cleanup(func() { closeIt(t, j) })
	return j
}

// A commit has a bound, so that what comes behind a great heap does not wait for all of it.
func TestACommitIsBounded(t *testing.T) {
	f := &file{}
	heap := &Lane{file: f, filling: f.batches.get()}
	for range 5 {
		heap.full = append(heap.full, &batch{buf: make([]byte, commitBytes/2), dones: make([]func(Receipt, error), 1)})
	}
	heap.filling.dones = make([]func(Receipt, error), 1)
	for _, want := range []int{2, 2, 2} { // the last one takes the batch being filled along
		if got := len(heap.next(nil)); got != want {
			t.Errorf("%d batches at once, want %d", got, want)
		}
	}
}

// BenchmarkSlowDisk keeps 25,000 messages on their way on a disk whose every commit takes 300 ms.
func BenchmarkSlowDisk(b *testing.B) {
	cfg := testConfig(b)
	cfg.CommitDelay = slowDisk
	j := openTest(b, cfg)
	l := j.Lane(TelemetryLane)
	window := make(chan struct{}, 25_000)
	for i := 0; b.Loop(); i++ {
		window <- struct{}{}
		if err := l.Submit(press(i), func(Receipt, error) { <-window }); err != nil {
			b.Fatal(err)
		}
	}
	for range cap(window) {
		window <- struct{}{}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	reportHealth(b, j.Health().Bulk)
}

func slowDisk() time.Duration { return 300 * time.Millisecond }
