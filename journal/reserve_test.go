package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"watchhouse/journal/engine"
)

// A disk that telemetry fills: bulk stops before the reserve is touched, events go on, and on a disk that something else fills to
// the last block events go on for as long as the reserve lasts, of which telemetry gets nothing. With space both go on by
// themselves. It needs a file system of its own: where none can be mounted it fails.
func TestTelemetryNeverTakesTheReserve(t *testing.T) {
	t.Parallel()
	onSmallDisk(t, "reserve")
}

// A hub on a disk without a free byte starts on the reserve and takes events.
func TestAFullDiskStarts(t *testing.T) {
	t.Parallel()
	onSmallDisk(t, "startfull")
}

// onSmallDisk runs a child that may mount file systems.
func onSmallDisk(t *testing.T, role string) {
	t.Helper()
	namespaces := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		namespaces.Cloneflags |= syscall.CLONE_NEWUSER
		namespaces.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		namespaces.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	c, err := startChild(t, role, t.TempDir(), namespaces)
	if err != nil {
		t.Fatalf("a small file system cannot be mounted: %v", err)
	}
	finish(t, c)
}

// reserveOfTest is the reserve on the small disk of 24 MiB.
const reserveOfTest = 8 * mib

func childReserve() error {
	dir := childDir()
	d, err := smallFileSystem(dir)
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes, cfg.TickInterval = dir, reserveOfTest, 0
	j, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	flooding, stop := context.WithCancel(context.Background())
	defer stop()
	var bins sync.WaitGroup
	bins.Go(func() { telemetryFlood(flooding, j.Lane(TelemetryLane)) })
	for _, stage := range []func(*Journal, *disk) error{bulkStopsFirst, lifeHasTheReserve, bulkGoesOn} {
		if err := stage(j, d); err != nil {
			return err
		}
	}
	stop()
	bins.Wait()
	return j.Close(context.Background())
}

func childStartFull() error {
	ctx, dir := context.Background(), childDir()
	if _, err := smallFileSystem(dir); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = dir, reserveOfTest
	log := slog.New(slog.DiscardHandler)
	j, err := Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := errors.Join(j.Close(ctx), fillWholly(dir)); err != nil {
		return err
	}
	if j, err = Open(ctx, cfg, log); err != nil {
		return fmt.Errorf("open on a full disk: %w", err)
	}
	if _, err := j.Lane(EventLane).Append(ctx, press(1)); err != nil {
		return fmt.Errorf("an event: %w", err)
	}
	return j.Close(ctx)
}

// fillWholly leaves not a page.
func fillWholly(dir string) error {
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return err
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return f.Close()
}

// telemetryFlood is a bin that sends 100 kB as fast as it is let, until ctx ends.
func telemetryFlood(ctx context.Context, l *Lane) {
	if _, err := l.Cursor(ctx, "ingest"); err != nil { // nothing is purged: the database is away
		return
	}
	for i := 0; ctx.Err() == nil; i++ {
		_, _ = l.Append(ctx, Message{Kind: Publish, Device: fmt.Sprint("bin-", i%50), Payload: noise(int64(i), 100_000)})
	}
}

// bulkStopsFirst waits until telemetry is refused: the reserve is whole then, and events are taken.
func bulkStopsFirst(j *Journal, _ *disk) error {
	for !j.bulk.disk.stopped.Load() && j.Health().Bulk.UsedRatio < wholeShare {
		time.Sleep(time.Millisecond)
	}
	if r := j.Health().Reserve; r.Held != r.Wanted {
		return fmt.Errorf("telemetry took %d bytes of the reserve", r.Wanted-r.Held)
	}
	_, err := j.Lane(EventLane).Append(context.Background(), press(1))
	return err
}

// lifeHasTheReserve fills the disk from outside. Events that come then take most of the reserve, telemetry none of it.
func lifeHasTheReserve(j *Journal, d *disk) error {
	if err := d.fill(); err != nil {
		return err
	}
	// What was admitted while there was room is through once this is refused.
	for j.bulk.engine.Put(context.Background(), "test", "filler", make([]byte, 4096)) == nil {
	}
	_, bulk, err := j.Lane(TelemetryLane).log.Bounds(context.Background())
	if err != nil {
		return err
	}
	taken := 0
	for i := 0; ; i++ {
		m := Message{Kind: Publish, Device: fmt.Sprint("eb-", i%50), Payload: noise(int64(i), 15_000)}
		if _, err := j.Lane(EventLane).Append(context.Background(), m); err != nil {
			if !errors.Is(err, engine.ErrNoSpace) {
				return err
			}
			break
		}
		taken += 15_000
	}
	if _, last, err := j.Lane(TelemetryLane).log.Bounds(context.Background()); err != nil || last != bulk {
		return errors.New("telemetry was stored on a disk where only the reserve was left")
	}
	// What is written twice, to the log and to the file, and a mebibyte that was free before.
	if r := j.Health().Reserve; taken < reserveOfTest/2 || r.Held != 0 || !r.BulkStopped {
		return fmt.Errorf("events took %d bytes of a reserve of %d; %+v", taken, reserveOfTest, r)
	}
	_, err = fmt.Fprintln(os.Stdout, taken, "bytes of events on the reserve")
	return err
}

// bulkGoesOn frees the disk: events go on, then telemetry, once the reserve is whole again.
func bulkGoesOn(j *Journal, d *disk) error {
	if err := errors.Join(d.release(), growDisk(j.cfg.Dir)); err != nil {
		return err
	}
	for before := j.Lane(TelemetryLane).Head(); j.Lane(TelemetryLane).Head() == before; {
		_, _ = j.Lane(EventLane).Append(context.Background(), press(2)) // refused until the committer has noticed
	}
	for r := j.Health().Reserve; r.Held != r.Wanted; r = j.Health().Reserve {
		time.Sleep(time.Millisecond)
	}
	return j.Health().Life.Err
}

func growDisk(dir string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", 4*smallDisk))
}

// Without room for the reserve the log says so, once, and health shows it.
func TestAReserveWithoutRoomIsSaid(t *testing.T) {
	cfg := testConfig(t)
	cfg.ReserveBytes = 1 << 50
	var log lines
	j, err := Open(context.Background(), cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	j.life.reserve.refill()
	if r := j.Health().Reserve; r.Held != 0 || r.Wanted != 1<<50 {
		t.Errorf("health says %+v", r)
	}
	closeIt(t, j)
	if n := strings.Count(log.String(), "no room for the reserve"); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
}

// lines collects a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
