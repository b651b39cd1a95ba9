package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchhouse/internal/testkit/powercut"
	"watchhouse/journal/engine"
	"watchhouse/journal/sqlite"
)

// newFolder is where the children of these tests make their data folder: both of its levels are new.
const newFolder = "site/data"

// openSmall opens with checkpoints so often that cuts fall into them.
func openSmall(ctx context.Context, cfg sqlite.Config) (engine.Engine, error) {
	cfg.CheckpointBytes = 128 << 10
	return sqlite.Open(ctx, cfg)
}

// childLives opens a journal in each folder that it is told, says what is stored, stores a little more, says what was acknowledged, and
// closes. An error ends a life: on a disk without power there are many.
func childLives() error {
	for folders := bufio.NewScanner(os.Stdin); folders.Scan(); {
		if err := live(folders.Text()); err != nil {
			fmt.Println("fault", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		fmt.Println("end")
	}
	return nil
}

func live(dir string) error {
	ctx := context.Background()
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes, cfg.TickInterval = dir, 1<<20, 0
	j, err := open(ctx, cfg, slog.New(slog.DiscardHandler), openSmall)
	if err != nil {
		return err
	}
	if err = tellStored(ctx, j); err == nil {
		err = storeSome(ctx, j)
	}
	limit := 10 * time.Second
	if err != nil {
		limit = time.Millisecond // nothing more can be stored
	}
	closing, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return errors.Join(err, j.Close(closing))
}

// tellStored prints the last number of each log, after reading all of it, and what verify finds.
func tellStored(ctx context.Context, j *Journal) error {
	h := j.Health()
	if err := errors.Join(h.Life.Err, h.Bulk.Err); err != nil {
		return err
	}
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		last := uint64(0)
		for pos := (Position{}); ; {
			es, next, err := j.Lane(n).Read(ctx, pos, 1000)
			if err != nil {
				return err
			}
			if len(es) == 0 {
				break
			}
			last, pos = es[len(es)-1].ID, next
		}
		fmt.Println("stored", n, last)
	}
	steps, err := j.Chain("ledger").Read(ctx, 1, 1<<20)
	if err != nil {
		return err
	}
	fmt.Println("stored", "ledger", len(steps))
	faults, err := j.Verify(ctx)
	if err != nil || len(faults) > 0 {
		return fmt.Errorf("verify: %v %v", faults, err)
	}
	return nil
}

func storeSome(ctx context.Context, j *Journal) error {
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		r, err := j.Lane(n).Append(ctx, press(1))
		if err != nil {
			return err
		}
		fmt.Println("acked", n, r.ID)
	}
	c := j.Chain("ledger")
	last, err := c.Last(ctx)
	if err != nil {
		return err
	}
	steps, err := c.Append(ctx, last, []byte("step"))
	if err != nil {
		return err
	}
	fmt.Println("acked", "ledger", steps[0].N)
	return nil
}

// life is what a child told of one: the last numbers by log, and why it ended early.
type life struct {
	stored, acked map[string]uint64
	fault         string
}

// lives is a child that opens one journal after the other.
type lives struct{ *child }

func startLives(t *testing.T) lives {
	t.Helper()
	c, err := startChild(t, "lives", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.stdin.Close(), c.cmd.Wait()); err != nil {
			t.Errorf("child: %v", err)
		}
	})
	return lives{c}
}

// on lets the child live once on a disk.
func (l lives) on(t *testing.T, d *powercut.Disk) life {
	t.Helper()
	folder, unmount := d.Mount(t)
	defer unmount()
	if _, err := fmt.Fprintln(l.stdin, filepath.Join(folder, newFolder)); err != nil {
		t.Fatal(err)
	}
	told := life{stored: map[string]uint64{}, acked: map[string]uint64{}}
	for l.out.Scan() {
		word, rest, _ := strings.Cut(l.out.Text(), " ")
		var log string
		var n uint64
		switch _, _ = fmt.Sscan(rest, &log, &n); word {
		case "stored":
			told.stored[log] = n
		case "acked":
			told.acked[log] = n
		case "fault":
			told.fault = rest
		case "end":
			return told
		}
	}
	t.Fatalf("the child ended: %v", l.out.Err())
	return life{}
}

// afterCut starts on what a cut left, and wants everything acknowledged to be there and nothing to be out of order.
func (l lives) afterCut(t *testing.T, d *powercut.Disk, loss powercut.Loss, seed int, acked map[string]uint64) {
	t.Helper()
	again := l.on(t, d.Cut(loss, rand.New(rand.NewPCG(uint64(seed), 0))))
	if again.fault != "" {
		t.Errorf("%s: the next start: %s", loss.Name, again.fault)
	}
	for log, n := range acked {
		if again.stored[log] < n {
			t.Errorf("%s: %d of %s were acknowledged, %d are stored", loss.Name, n, log, again.stored[log])
		}
	}
}

// cutEverywhere cuts the life on a disk before every change it makes, n-th by n-th, down to its end, and starts again on whatever a disk may
// have kept of it.
func (l lives) cutEverywhere(t *testing.T, disk func() *powercut.Disk) {
	t.Helper()
	d := disk()
	before := d.Changes()
	if whole := l.on(t, d); whole.fault != "" {
		t.Fatal(whole.fault)
	}
	changes, cuts := d.Changes()-before, 0
	for n := 1; n <= changes && !t.Failed(); n += powercut.Step() {
		d := disk()
		d.FreezeAt(n)
		acked := l.on(t, d).acked
		for _, loss := range powercut.LossesOf(n) {
			l.afterCut(t, d, loss, n, acked)
			cuts++
		}
		if t.Failed() {
			t.Errorf("cut before change %d of %d", n, changes)
		}
	}
	t.Logf("%d cuts", cuts)
}

func TestPowerCutAtEveryChangeOfTheFirstStart(t *testing.T) {
	t.Parallel()
	startLives(t).cutEverywhere(t, powercut.New)
}

// A start after a cut recovers the write-ahead log; it may be cut itself.
func TestPowerCutAtEveryChangeOfALaterStart(t *testing.T) {
	t.Parallel()
	l := startLives(t)
	first := powercut.New()
	first.FreezeAt(140) // with something in the write-ahead logs
	if acked := l.on(t, first).acked; len(acked) == 0 {
		t.Fatal("the first life has stored nothing yet")
	}
	l.cutEverywhere(t, func() *powercut.Disk { return first.Cut(powercut.Losses()[0], rand.New(rand.NewPCG(1, 1))) })
}

func TestPowerCutAfterACleanStop(t *testing.T) {
	t.Parallel()
	l := startLives(t)
	d := powercut.New()
	told := l.on(t, d)
	if told.fault != "" || len(told.acked) != 4 {
		t.Fatal(told)
	}
	for n, loss := range powercut.Losses() {
		l.afterCut(t, d, loss, n, told.acked)
	}
}

// The kit must be able to fail: on a disk whose syncs do nothing from the second life on, what that life acknowledged is lost.
func TestPowerCutOnADiskThatLiesLoses(t *testing.T) {
	t.Parallel()
	l := startLives(t)
	d := powercut.New()
	l.on(t, d)
	d.DeafSync()
	acked := l.on(t, d).acked
	again := l.on(t, d.Cut(powercut.Losses()[0], rand.New(rand.NewPCG(1, 1))))
	if len(acked) != 4 || again.fault == "" && again.stored["event"] >= acked["event"] {
		t.Errorf("acknowledged %v, stored %v: a sync that does nothing was not noticed", acked, again.stored)
	}
}

// Every lane and the ledger are written as fast as it goes, with checkpoints all the time; the disk goes on from cut to cut.
func TestPowerCutUnderLoad(t *testing.T) {
	t.Parallel()
	rounds := 5
	if powercut.Long() {
		rounds = 100
	}
	k := newKillTest("")
	d := powercut.New()
	r := rand.New(rand.NewPCG(7, 7))
	for round := range rounds {
		d.FreezeAt(150 + r.IntN(400))
		k.cut(t, d)
		d = d.Cut(powercut.Losses()[(round+3)%len(powercut.Losses())], r)
		k.dir = t.TempDir()
		if err := d.Save(newFolder, k.dir); err != nil {
			t.Fatal(err)
		}
		k.check(t, true)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d cuts, %d acknowledged and %d stored messages, %d acknowledged steps", rounds, len(k.acked), len(k.stored), len(k.ledger))
	if len(k.acked) == 0 {
		t.Error("nothing was acknowledged: the cuts came too early")
	}
}

// cut lets a child run until the power is gone, and ends it.
func (k *killTest) cut(t *testing.T, d *powercut.Disk) {
	t.Helper()
	folder, unmount := d.Mount(t)
	defer unmount()
	c, err := startChild(t, "append", filepath.Join(folder, newFolder), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-d.Frozen()
		_ = c.cmd.Process.Kill()
	}()
	for c.out.Scan() {
		k.note(t, c.out.Text())
	}
	_ = c.cmd.Wait() // it was killed, or gave up by itself
}
