package journal

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// startBytesEnv sets how much bulk.db holds in BenchmarkStartAfterKill, in MiB; by default 64. For the sizes of
// docs/benchmarks.md, with as much free disk:
//
//	WATCHHOUSE_JOURNAL_START_MIB=1024 go test -run '^$' -bench StartAfterKill -benchtime 3x -timeout 30m ./journal
//	WATCHHOUSE_JOURNAL_START_MIB=6144 go test -run '^$' -bench StartAfterKill -benchtime 3x -timeout 30m ./journal
const startBytesEnv = "WATCHHOUSE_JOURNAL_START_MIB"

// childFill fills the telemetry lane with incompressible frames until told to stop by a kill, and prints how far it is.
func childFill() error {
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = childDir(), 0
	j, err := Open(context.Background(), cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	body := noise(1, 200<<10)
	window := make(chan struct{}, 16)
	out := bufio.NewWriter(os.Stdout)
	for i := 0; ; i++ {
		window <- struct{}{}
		copy(body, strconv.Itoa(i))
		m := Message{Kind: Publish, Payload: body}
		if err := j.Lane(TelemetryLane).Submit(m, func(Receipt, error) { <-window }); err != nil {
			return err
		}
		fmt.Fprintln(out, j.Health().Bulk.Bytes>>20)
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// BenchmarkStartAfterKill is the time from a killed process's folder to an open journal with its first event stored.
func BenchmarkStartAfterKill(b *testing.B) {
	mibs := int64(64)
	if s := os.Getenv(startBytesEnv); s != "" {
		var err error
		if mibs, err = strconv.ParseInt(s, 10, 64); err != nil {
			b.Fatal(err)
		}
	}
	b.Run(fmt.Sprintf("mib=%d", mibs), func(b *testing.B) {
		dir := b.TempDir()
		for b.Loop() {
			b.StopTimer()
			fillAndKill(b, dir, mibs)
			b.StartTimer()
			cfg := DefaultConfig()
			cfg.Dir, cfg.ReserveBytes = dir, 0
			start := time.Now()
			j, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := j.Lane(EventLane).Append(context.Background(), press(1)); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms-to-first-event")
			b.StopTimer()
			if err := j.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
}

// fillAndKill lets a child fill bulk.db up to a size and kills it while it writes.
func fillAndKill(b *testing.B, dir string, mibs int64) {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"=fill", childEnv+"_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		at, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		if at >= mibs && n >= 200 {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		b.Fatal(err)
	}
	_ = cmd.Wait() // it was killed, which Wait reports
}
