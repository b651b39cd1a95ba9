package broker

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// childRole selects what this test binary does when it is started as a child process.
const childRole = "WATCHHOUSE_BROKER_CHILD"

// childCertificates has the child speak TLS, with the certificates of a folder.
const childCertificates = "WATCHHOUSE_BROKER_CERTIFICATES"

// runChild is a broker in a process of its own, so that it can be killed, traced and weighed. It prints its address and then
// answers each line of input with its resident memory; it ends with its input.
func runChild(dir string) int {
	j, err := journal.Open(context.Background(), journalConfig(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := newPeople()
	for i := range childDevices {
		p.add("bench-"+strconv.Itoa(i), telemetry.SortingPoint)
	}
	b, err := childBroker(j, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(cmp.Or(b.TLSAddr(), b.Addr()))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(resident(), b.Stats().Sessions)
	}
	return 0
}

// childBroker starts the broker; with a folder of certificates in its environment it speaks TLS too.
func childBroker(j *journal.Journal, d directory) (*Broker, error) {
	cfg := testConfig()
	b, err := newBroker(cfg, storesOf(j), d, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if dir := os.Getenv(childCertificates); dir != "" {
		store, err := openStore(dir)
		if err != nil {
			return nil, err
		}
		b.cfg.TLS, b.certificates = cfg.TCP, store
	}
	return b, errors.Join(b.bind(), b.Start())
}

const childDevices = 15_000

// resident is the process's resident memory in bytes.
func resident() int {
	raw, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// child is a broker process.
type child struct {
	cmd  *exec.Cmd
	addr string
	in   *os.File
	out  *bufio.Scanner
}

// spawn starts one on a data folder, perhaps under a tool such as strace.
func spawn(t testing.TB, dir string, tool ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(tool, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childRole+"="+dir)
	cmd.Stderr = os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	c := &child{cmd: cmd, in: w, out: bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	if !c.out.Scan() {
		t.Fatal("the child said nothing")
	}
	c.addr = c.out.Text()
	return c
}

// kill is SIGKILL. Idempotent.
func (c *child) kill() {
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// end lets the process end by itself.
func (c *child) end() { _ = c.in.Close(); _ = c.cmd.Wait() }

// weigh asks for the resident memory and the number of sessions.
func (c *child) weigh(t testing.TB) (bytes, sessions int) {
	t.Helper()
	if _, err := fmt.Fprintln(c.in); err != nil || !c.out.Scan() {
		t.Fatalf("ask child: %v", err)
	}
	if _, err := fmt.Sscan(c.out.Text(), &bytes, &sessions); err != nil {
		t.Fatal(err)
	}
	return bytes, sessions
}
