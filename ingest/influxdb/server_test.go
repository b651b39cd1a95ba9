package influxdb_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/ingest/influxdb"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("INFLUXDB_TEST_PARENT"); dir != "" {
		parent(dir)
	}
	goleak.VerifyTestMain(m)
}

func binary(t *testing.T) string {
	t.Helper()
	bin, err := influxdb.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func start(t *testing.T, cfg influxdb.Config) *influxdb.Server {
	t.Helper()
	cfg.Bin, cfg.Dir = binary(t), t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s, err := influxdb.StartConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// post writes and returns the status.
func post(t *testing.T, s *influxdb.Server, lines string) int {
	t.Helper()
	u := s.URL() + "/api/v2/write?precision=ns&bucket=" + url.QueryEscape(influxdb.Bucket)
	resp, err := client(t).Post(u, "text/plain", strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func client(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// rows asks for everything of measurement m and returns the answer's text.
func rows(t *testing.T, s *influxdb.Server, m string) string {
	t.Helper()
	q := url.Values{"db": {influxdb.Database}, "q": {`SELECT * FROM "` + m + `"`}}
	resp, err := client(t).Get(s.URL() + "/query?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnsweredWritesSurviveStopAndKillOnTheSameURL(t *testing.T) {
	s := start(t, influxdb.Config{NoFlux: true})
	first := s.URL()
	ends := map[string]func() error{"stop": s.Stop, "kill": s.Kill}
	for name, end := range ends {
		if got := post(t, s, "m,by="+name+" v=1 1700000000000000000"); got != http.StatusNoContent {
			t.Fatalf("write before %s: status %d", name, got)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if s.Running() {
			t.Fatalf("running after %s", name)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		if err := s.Restart(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		if got := rows(t, s, "m"); !strings.Contains(got, `"`+name+`"`) {
			t.Errorf("after %s and restart the point is missing: %s", name, got)
		}
	}
	if s.URL() != first {
		t.Errorf("URL changed from %s to %s", first, s.URL())
	}
}

func TestBodyLimitIsAnswered413(t *testing.T) {
	s := start(t, influxdb.Config{MaxBodyBytes: 512, NoFlux: true})
	if got := post(t, s, strings.Repeat("m v=1 1700000000000000000\n", 100)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got)
	}
	if got := post(t, s, "m v=1 1700000000000000000"); got != http.StatusNoContent {
		t.Errorf("a small write: status %d, want 204", got)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), []byte("a file where a folder belongs"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	_, err := influxdb.StartConfig(ctx, influxdb.Config{Bin: binary(t), Dir: dir, NoFlux: true})
	if err == nil || !strings.Contains(err.Error(), "ended at once") || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("error %v, want one that says that data is not a directory", err)
	}
	if _, err := influxdb.Start(ctx, filepath.Join(dir, "none"), t.TempDir()); err == nil {
		t.Error("a missing binary was no error")
	}
}

func TestFindSaysWhichVariableIsWrong(t *testing.T) {
	t.Setenv(influxdb.BinEnv, filepath.Join(t.TempDir(), "none"))
	if _, err := influxdb.Find(t.Context()); err == nil || !strings.Contains(err.Error(), influxdb.BinEnv) {
		t.Errorf("error %v, want one that names %s", err, influxdb.BinEnv)
	}
}

// parent is the process that the next test kills: it starts a server, tells its URL and waits.
func parent(dir string) {
	bin, err := influxdb.Find(context.Background())
	if err != nil {
		panic(err)
	}
	s, err := influxdb.Start(context.Background(), bin, dir)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "url.part"), []byte(s.URL()), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(filepath.Join(dir, "url.part"), filepath.Join(dir, "url")); err != nil {
		panic(err)
	}
	select {}
}

func TestTheServerDoesNotOutliveAKilledParent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "INFLUXDB_TEST_PARENT="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	eventually(t, "the server's URL", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "url"))
		addr = string(text)
		return err == nil
	})
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	c := client(t)
	eventually(t, "the end of the server", func() bool {
		resp, err := c.Get(addr + "/ping")
		if err == nil {
			resp.Body.Close()
		}
		return err != nil
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute in vain for %s", what)
		}
	}
}
