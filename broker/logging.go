package broker

import (
	"context"
	"log/slog"
	"time"
)

// complaintEvery is how often a failing journal is mentioned.
const complaintEvery = 10 * time.Second

// complain logs that life does not take messages, not once for every one of them.
func (b *Broker) complain(err error) {
	now := time.Now().UnixNano()
	last := b.complained.Load()
	if now-last > int64(complaintEvery) && b.complained.CompareAndSwap(last, now) {
		b.log.Error("journal refuses life, connections are closed without ack", "err", err)
	}
}

// tame wraps a logger for the MQTT library, which logs whole packets, passwords and payloads among them: only known harmless
// attributes pass, and everything at debug level.
func tame(log *slog.Logger) *slog.Logger { return slog.New(tamed{log.Handler()}) }

type tamed struct{ next slog.Handler }

// harmless lists the attributes that pass.
func harmless(key string) bool {
	switch key {
	case "client", "listener", "hook", "keepalive", "remote", "version":
		return true
	}
	return false
}

func (t tamed) Enabled(ctx context.Context, _ slog.Level) bool {
	return t.next.Enabled(ctx, slog.LevelDebug)
}

func (t tamed) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, slog.LevelDebug, "mqtt library: "+r.Message, 0)
	r.Attrs(func(a slog.Attr) bool {
		if harmless(a.Key) {
			clean.AddAttrs(a)
		}
		return true
	})
	return t.next.Handle(ctx, clean)
}

func (t tamed) WithAttrs(attrs []slog.Attr) slog.Handler {
	var kept []slog.Attr
	for _, a := range attrs {
		if harmless(a.Key) {
			kept = append(kept, a)
		}
	}
	return tamed{t.next.WithAttrs(kept)}
}

func (t tamed) WithGroup(name string) slog.Handler { return tamed{t.next.WithGroup(name)} }
