package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// child is another process of this test binary.
type child struct {
	cmd   *exec.Cmd
	out   *bufio.Scanner
	stdin io.WriteCloser
}

// startChild runs what TestMain knows as role, on a data folder.
func startChild(t *testing.T, role, dir string, attr *syscall.SysProcAttr) (*child, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(exe, "-test.run=^$")}
	c.cmd.Env = append(os.Environ(), childEnv+"="+role, childEnv+"_DIR="+dir)
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = attr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	return c, c.cmd.Start()
}

func childDir() string { return os.Getenv(childEnv + "_DIR") }

// childAppend appends to every lane and the ledger as fast as it can and writes a line for each acknowledgement:
// lane, client and number, or ledger, step and hash, then a full stop.
func childAppend() error {
	ctx := context.Background()
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = childDir(), 1<<20
	j, err := open(ctx, cfg, slog.New(slog.DiscardHandler), openSmall)
	if err != nil {
		return err
	}
	acks := make(chan string, 1<<16)
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		for w := range 4 {
			go appendForEver(j.Lane(n), fmt.Sprintf("%d-%d", os.Getpid(), w), acks)
		}
	}
	go stepForEver(j.Chain("ledger"), acks)
	w := bufio.NewWriter(os.Stdout)
	for a := range acks {
		if _, err := fmt.Fprintln(w, a); err != nil {
			return err
		}
		if len(acks) == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendForEver keeps 32 messages of a client on their way.
func appendForEver(l *Lane, client string, acks chan<- string) {
	window := make(chan struct{}, 32)
	for i := 0; ; i++ {
		window <- struct{}{}
		m := Message{Kind: Publish, Client: client, Payload: []byte(strconv.Itoa(i))}
		err := l.Submit(m, func(_ Receipt, err error) {
			if err == nil {
				acks <- fmt.Sprintf("%s %s %d .", l.Name(), client, i)
			}
			<-window
		})
		if err != nil {
			<-window
		}
	}
}

func stepForEver(c *Chain, acks chan<- string) {
	ctx := context.Background()
	for {
		n, err := c.Last(ctx)
		if err != nil {
			continue
		}
		steps, err := c.Append(ctx, n, fmt.Append(nil, "step ", n+1), fmt.Append(nil, "step ", n+2))
		if err == nil {
			acks <- fmt.Sprintf("ledger %d %x .", steps[1].N, steps[1].Hash)
		}
	}
}

// killTest is the state of the kill loop: what was acknowledged and what was found stored.
type killTest struct {
	dir    string
	acked  map[string]bool // "lane client number"
	ledger map[uint64]string
	read   map[LaneName]Position
	count  map[LaneName]uint64
	next   map[string]int // number expected next of a lane and client
	stored map[string]bool
}

func newKillTest(dir string) *killTest {
	return &killTest{
		dir: dir, acked: map[string]bool{}, ledger: map[uint64]string{}, read: map[LaneName]Position{},
		count: map[LaneName]uint64{}, next: map[string]int{}, stored: map[string]bool{},
	}
}

// SIGKILL at any moment under load: acknowledged minus stored is nothing, order holds, nothing is doubled, no gap.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	kills := 50
	k := newKillTest(t.TempDir())
	for round := range kills {
		k.kill(t, 20+round*37%500)
		k.check(t, round == kills-1)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d acknowledged and %d stored messages, %d acknowledged steps", kills, len(k.acked), len(k.stored), len(k.ledger))
}

// kill lets a child run until so many acknowledgements came, and kills it.
func (k *killTest) kill(t *testing.T, acks int) {
	t.Helper()
	c, err := startChild(t, "append", k.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for n < acks && c.out.Scan() {
		k.note(t, c.out.Text())
		n++
	}
	if n < acks {
		t.Fatalf("the child ended after %d acknowledgements", n)
	}
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for c.out.Scan() { // acknowledged before the kill, too
		k.note(t, c.out.Text())
	}
	_ = c.cmd.Wait() // it was killed, which Wait reports
}

func (k *killTest) note(t *testing.T, line string) {
	line, whole := strings.CutSuffix(line, " .")
	if !whole {
		return // cut by the kill
	}
	f := strings.Fields(line)
	if f[0] != "ledger" {
		k.acked[line] = true
		return
	}
	n, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	k.ledger[n] = f[2]
}

func (k *killTest) check(t *testing.T, last bool) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Dir, cfg.ReserveBytes, cfg.TickInterval = k.dir, 1<<20, 0
	j, err := Open(context.Background(), cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, j)
	for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
		k.readNew(t, j.Lane(n))
	}
	for a := range k.acked {
		if !k.stored[a] {
			t.Errorf("acknowledged and gone: %s", a)
		}
	}
	k.checkLedger(t, j.Chain("ledger"))
	if last {
		if faults, err := j.Verify(context.Background()); err != nil || len(faults) > 0 {
			t.Errorf("verify: %v %v", faults, err)
		}
	}
}

func (k *killTest) readNew(t *testing.T, l *Lane) {
	t.Helper()
	for {
		es, next, err := l.Read(context.Background(), k.read[l.Name()], 5000)
		if err != nil {
			t.Fatal(err)
		}
		if len(es) == 0 {
			return
		}
		for _, e := range es {
			if k.count[l.Name()]++; e.ID != k.count[l.Name()] {
				t.Fatalf("lane %s: number %d where %d should be", l.Name(), e.ID, k.count[l.Name()])
			}
			if e.Kind == Tick {
				continue
			}
			who := string(l.Name()) + " " + e.Client
			if string(e.Payload) != strconv.Itoa(k.next[who]) {
				t.Fatalf("%s: %s where %d should be: doubled, lost or out of order", who, e.Payload, k.next[who])
			}
			k.next[who]++
			k.stored[who+" "+string(e.Payload)] = true
		}
		k.read[l.Name()] = next
	}
}

func (k *killTest) checkLedger(t *testing.T, c *Chain) {
	t.Helper()
	steps, err := c.Read(context.Background(), 1, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for n, hash := range k.ledger {
		if n > uint64(len(steps)) || fmt.Sprintf("%x", steps[n-1].Hash) != hash {
			t.Errorf("step %d was acknowledged and is gone or another", n)
		}
	}
	for i, s := range steps {
		if s.N != uint64(i+1) || string(s.Body) != fmt.Sprint("step ", s.N) {
			t.Fatalf("step %d: %d %q", i+1, s.N, s.Body)
		}
	}
}
