package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"watchhouse/journal"
)

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// streams are the process's standard streams; tests give their own.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// cli is the command line; each field is a command in its own file.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run the hub."`
	Demo     demoCmd     `cmd:"" help:"Run hub, InfluxDB and the simulated devices of the example subdistrict, with a scripted story."`
	Simulate simulateCmd `cmd:"" help:"Simulate devices against a broker."`
	Check    checkCmd    `cmd:"" help:"Validate the configuration and the rules, and measure the data disk."`
	Registry registryCmd `cmd:"" help:"Devices, places and contacts of a stopped hub, or of a running one with --url: add, import, export, list."`
	User     userCmd     `cmd:"" help:"Users of a stopped hub, and tokens of a running one with --url: add, token."`
	TLS      tlsCmd      `cmd:"" name:"tls" help:"Certificates of your own: an authority, the hub's, the devices'."`
	Journal  journalCmd  `cmd:"" help:"Read the journal, beside a running hub or without one."`
	Bench    benchCmd    `cmd:"" help:"Measure on this machine and print the table of docs/benchmarks.md."`
	Docs     docsCmd     `cmd:"" help:"Print generated documentation." hidden:""`
}

// Exit codes [contract].
const (
	exitOK        = 0
	exitFailed    = 1
	exitBadConfig = 2
	exitInUse     = 3
	exitData      = 4
)

// badConfigError marks an error as the user's: exit code 2.
type badConfigError struct{ error }

func (e badConfigError) Unwrap() error { return e.error }

func run(args []string, std streams) int {
	exited := -1
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("watchhouse"),
		kong.Description("Watchhouse (平安哨): the control room's nerve of a subdistrict."),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(std.err, "watchhouse:", err)
		return exitFailed
	}
	if len(args) == 0 { // somebody who does not know it yet
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help has answered
		return exited
	}
	if err != nil {
		fmt.Fprintln(std.err, "watchhouse:", err)
		return exitBadConfig
	}
	ctx, stop := signalled()
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	return conclude(std, parsed.Run(std))
}

// signalled is cancelled by the first SIGINT or SIGTERM; the second ends the process at once, as its default does.
func signalled() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// conclude prints an error once and gives its exit code.
func conclude(std streams, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(std.err, "watchhouse:", err)
	if advice := advise(err); advice != "" {
		fmt.Fprintln(std.err, advice)
	}
	var bad badConfigError
	switch {
	case errors.As(err, &bad):
		return exitBadConfig
	case errors.Is(err, journal.ErrInUse):
		return exitInUse
	case errors.Is(err, journal.ErrNewer), errors.Is(err, journal.ErrDamaged):
		return exitData
	default:
		return exitFailed
	}
}

// advise says what to do about an error whose own text does not.
func advise(err error) string {
	switch {
	case errors.Is(err, journal.ErrInUse):
		return "A hub is running on this folder: stop it first, or name another --data; registry commands take --url of the running hub instead."
	case errors.Is(err, journal.ErrNewer):
		return "A newer watchhouse wrote this folder: run that version. Nothing was changed."
	case errors.Is(err, journal.ErrDamaged):
		return "Nothing was changed. watchhouse journal verify names the faults it can reach; docs/operations.md says how to go on."
	case errors.Is(err, syscall.EADDRINUSE):
		return "Another program listens there: stop it, or choose another address with --http or --mqtt (port 0 takes a free one)."
	default:
		return ""
	}
}
