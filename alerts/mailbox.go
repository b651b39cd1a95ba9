package alerts

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// request is a command or a settlement on its way, and where its answer goes.
type request struct {
	ctx     context.Context
	command Command
	settle  *settlement // in place of a command
	answer  chan answer // capacity 1
}

type answer struct {
	result Result
	err    error
}

// Do runs a command in the engine's mailbox and returns after its step is committed. When ctx ends first the outcome is open:
// the same Idempotency-Key tells it later. Errors: *InvalidError, *ConflictError, ErrNotFound, ErrStopped, of ctx.
func (e *Engine) Do(ctx context.Context, c Command) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	return e.ask(&request{ctx: ctx, command: c})
}

func (e *Engine) ask(q *request) (Result, error) {
	q.answer = make(chan answer, 1)
	select {
	case e.mailbox <- q:
	case <-q.ctx.Done():
		return Result{}, q.ctx.Err()
	case <-e.finished:
		return Result{}, ErrStopped
	}
	select {
	case a := <-q.answer:
		return a.result, a.err
	case <-q.ctx.Done():
		return Result{}, q.ctx.Err()
	case <-e.finished:
	}
	select {
	case a := <-q.answer: // it was committed just before the end
		return a.result, a.err
	default:
		return Result{}, ErrStopped
	}
}

// newWriter names one life of an engine in its steps.
func newWriter(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}
