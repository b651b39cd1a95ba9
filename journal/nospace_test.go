package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A full disk: the reserve is freed for life first, then appends fail and nothing is acknowledged, and once there is room the
// committer stores what it promised by itself. The child fills a small file system in a mount namespace of its own; where
// that is not allowed, the limit of TestFileSizeLimitAndRecovery stands in for it.
func TestFullDiskAndRecovery(t *testing.T) {
	t.Parallel()
	namespaces := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		namespaces.Cloneflags |= syscall.CLONE_NEWUSER
		namespaces.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		namespaces.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	c, err := startChild(t, "nospace", t.TempDir(), namespaces)
	if err != nil {
		t.Logf("no namespaces (%v): limiting the size of files instead", err)
		if c, err = startChild(t, "filelimit", t.TempDir(), nil); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, c)
}

// The same with a limit on the size of the process's files, which makes the same system calls fail with another error.
func TestFileSizeLimitAndRecovery(t *testing.T) {
	t.Parallel()
	c, err := startChild(t, "filelimit", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	finish(t, c)
}

func finish(t *testing.T, c *child) {
	t.Helper()
	var lines []string
	for c.out.Scan() {
		lines = append(lines, c.out.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("child: %v", err)
	}
	t.Log(strings.Join(lines, "; "))
}

// disk is a small one that can be filled and emptied.
type disk struct {
	fill    func() error
	release func() error
	small   bool // the file system itself is full, so the reserve helps
}

const smallDisk = 24 * mib

func smallFileSystem(dir string) (*disk, error) {
	// Private, so that the mount does not leave this process.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		return nil, err
	}
	filler := filepath.Join(dir, "filler")
	return &disk{
		small:   true,
		fill:    func() error { return fillDisk(filler) },
		release: func() error { return os.Remove(filler) },
	}, nil
}

// fillDisk leaves a mebibyte free.
func fillDisk(filler string) error {
	f, err := os.Create(filler)
	if err != nil {
		return err
	}
	size := int64(0)
	for err == nil {
		var n int
		n, err = f.Write(make([]byte, 64<<10))
		size += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return errors.Join(f.Truncate(size-mib), f.Close())
}

func smallFiles() (*disk, error) {
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return nil, err
	}
	return &disk{
		fill: func() error {
			return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3 * mib, Max: old.Max})
		},
		release: func() error { return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) },
	}, nil
}

func childNoSpace() error {
	d, err := smallFileSystem(childDir())
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EACCES) {
		d, err = smallFiles()
	}
	if err != nil {
		return err
	}
	return fullAndBack(childDir(), d)
}

func childFileLimit() error {
	d, err := smallFiles()
	if err != nil {
		return err
	}
	return fullAndBack(childDir(), d)
}

func fullAndBack(dir string, d *disk) error {
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes, cfg.TickInterval = dir, 2*mib, 0
	j, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	acked, err := fillUp(j, d)
	if err != nil {
		return err
	}
	if err := recovered(j, d); err != nil {
		return err
	}
	if err := j.Close(context.Background()); err != nil {
		return err
	}
	return checkAfterFull(cfg, acked)
}

// fillUp appends events until the disk is full and checks what callers are told.
func fillUp(j *Journal, d *disk) (acked []string, err error) {
	ctx := context.Background()
	l := j.Lane(EventLane)
	if _, err := l.Append(ctx, press(0)); err != nil {
		return nil, err
	}
	acked = append(acked, string(press(0).Payload))
	if _, err := os.Stat(filepath.Join(j.cfg.Dir, reserveFile)); err != nil {
		return nil, fmt.Errorf("the reserve is not held: %w", err)
	}
	if err := d.fill(); err != nil {
		return nil, err
	}
	m := press(1)
	for i := range 100_000 {
		m.Payload = append(fmt.Appendf(nil, "%d ", i), noise(int64(i), 15_000)...)
		if _, err = l.Append(ctx, m); err != nil {
			break
		}
		acked = append(acked, string(m.Payload))
	}
	if !errors.Is(err, ErrUnavailable) && d.small || err == nil {
		return nil, fmt.Errorf("append to a full disk: %w, want ErrUnavailable", err)
	}
	if _, err := os.Stat(filepath.Join(j.cfg.Dir, reserveFile)); d.small && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the reserve was not freed: %w", err)
	}
	if err := l.Submit(press(2), nil); !errors.Is(err, ErrUnavailable) {
		return nil, fmt.Errorf("submit to a full disk: %w, want ErrUnavailable", err)
	}
	if j.Health().Life.Err == nil {
		return nil, errors.New("health does not show the full disk")
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, noise(1, 200_000)); err == nil {
		return nil, errors.New("a step was stored on a full disk")
	}
	_, werr := fmt.Fprintf(os.Stdout, "%d events acknowledged before the disk was full: %v\n", len(acked), err)
	return acked, werr
}

func recovered(j *Journal, d *disk) error {
	if err := d.release(); err != nil {
		return err
	}
	ctx := context.Background()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, err := j.Lane(EventLane).Append(ctx, Message{Kind: Publish, Payload: []byte("after")})
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no recovery: %w", err)
		}
	}
	if err := j.Health().Life.Err; err != nil {
		return fmt.Errorf("health after recovery: %w", err)
	}
	if _, err := j.Chain("ledger").Append(ctx, 0, []byte("step")); err != nil {
		return fmt.Errorf("a step after recovery: %w", err)
	}
	return nil
}

func checkAfterFull(cfg Config, acked []string) error {
	j, err := OpenReadOnly(context.Background(), cfg.Dir)
	if err != nil {
		return err
	}
	var es []Entry
	for pos := (Position{}); ; {
		got, next, err := j.Lane(EventLane).Read(context.Background(), pos, 100)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			break
		}
		es, pos = append(es, got...), next
	}
	// The one whose append failed comes after those acknowledged: the committer went on retrying it.
	if len(es) < len(acked)+2 {
		return fmt.Errorf("%d stored, want %d acknowledged, the one retried and the last", len(es), len(acked))
	}
	for i, a := range acked {
		if string(es[i].Payload) != a {
			return fmt.Errorf("acknowledged message %d is not entry %d", i, i+1)
		}
	}
	if s := string(es[len(acked)].Payload); !strings.HasPrefix(s, fmt.Sprintf("%d ", len(acked)-1)) {
		return fmt.Errorf("the retried message is missing: %.20q is in its place", s)
	}
	faults, err := j.Verify(context.Background())
	if err != nil || len(faults) > 0 {
		return fmt.Errorf("verify: %v: %w", faults, err)
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintf(out, "%d stored after recovery\n", len(es))
	return errors.Join(out.Flush(), j.Close(context.Background()))
}
