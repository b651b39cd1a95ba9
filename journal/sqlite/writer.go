package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal/engine"
)

// lazyDelay bounds how long a value of PutLater waits for a commit to ride on.
const lazyDelay = time.Second

// do queues a change and waits for its commit. ctx counts until the writer takes the change up; then the answer is awaited.
func (db *DB) do(ctx context.Context, p engine.Priority, size int, run func(context.Context) error) error {
	return db.submit(ctx, &op{priority: p, size: size, run: run, done: make(chan error, 1)})
}

func (db *DB) submit(ctx context.Context, o *op) error {
	if db.readOnly {
		return engine.ErrReadOnly
	}
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return engine.ErrClosed
	}
	db.queue.push(o)
	db.mu.Unlock()
	db.poke()
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	}
	db.mu.Lock()
	if !o.taken {
		db.queue.remove(o)
		db.mu.Unlock()
		return ctx.Err()
	}
	db.mu.Unlock()
	return <-o.done
}

func (db *DB) poke() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// runWriter is the one goroutine that changes the file.
func (db *DB) runWriter() {
	defer close(db.writerDone)
	ticker := time.NewTicker(lazyDelay)
	defer ticker.Stop()
	for {
		due := false
		select {
		case <-db.wake:
		case <-ticker.C:
			due = true
		}
		for {
			db.mu.Lock()
			group := db.queue.take(db.cfg.GroupBytes)
			closed := db.closed
			db.mu.Unlock()
			if len(group) == 0 {
				if closed || due {
					db.writeGroup(nil)
				}
				if closed {
					return
				}
				break
			}
			db.writeMixed(group)
		}
	}
}

// writeMixed runs the ops that need the writer halted by themselves and the rest as one transaction.
func (db *DB) writeMixed(group []*op) {
	tx := group[:0]
	var alone []*op
	for _, o := range group {
		if o.alone {
			alone = append(alone, o)
		} else {
			tx = append(tx, o)
		}
	}
	if len(tx) > 0 {
		db.writeGroup(tx)
	}
	for _, o := range alone {
		o.done <- o.run(context.Background())
	}
}

// writeGroup commits a group with whatever PutLater left. When a statement of a larger group fails, which leaves nothing of
// it, each op is tried by itself, so that one that cannot be stored does not fail the others.
func (db *DB) writeGroup(group []*op) {
	lazy := db.takeLazy()
	if len(group) == 0 && len(lazy) == 0 {
		return
	}
	results, statement, err := db.transact(group, lazy)
	if err != nil {
		db.giveBackLazy(lazy)
		db.forgetLast()
		if statement && len(group) > 1 {
			for _, o := range group {
				db.writeGroup([]*op{o})
			}
			return
		}
	}
	for i, o := range group {
		res := err
		if res == nil {
			res = results[i]
		}
		if o.settle != nil {
			o.settle(res == nil)
		}
		o.done <- res
	}
}

// transact runs one transaction. Results holds the conflicts; statement says that err came before COMMIT.
func (db *DB) transact(group []*op, lazy map[lazyKey][]byte) (results []error, statement bool, err error) {
	ctx := context.Background()
	if db.isAbandoned() {
		return nil, false, engine.ErrClosed
	}
	defer func() {
		if err != nil {
			err = classify(err)
			db.stats.failed(err)
			db.rollback(ctx)
		}
	}()
	if err := db.admitted(group); err != nil {
		return nil, false, err
	}
	if _, err := db.begin.ExecContext(ctx); err != nil {
		return nil, true, fmt.Errorf("begin: %w", err)
	}
	// First, so that a Delete of the same key in the group comes after it.
	for k, v := range lazy {
		if err := db.put(ctx, k, v); err != nil {
			return nil, true, err
		}
	}
	results = make([]error, len(group))
	grown, pages := int64(0), int64(0)
	for i, o := range group {
		err := o.run(ctx)
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			return nil, true, err
		}
		results[i] = err
		grown += db.grows(o.size)
		pages += db.pagesFor(o.size)
	}
	start := time.Now()
	if _, err := db.commit.ExecContext(ctx); err != nil {
		return nil, false, fmt.Errorf("commit: %w", err)
	}
	db.dawdle()
	db.stats.committed(time.Since(start), grown)
	db.grewWAL(pages + int64(len(lazy)+1)*int64(db.cfg.PageSize))
	return results, false, nil
}

// admitted asks whether the file may grow by what is appended. Purges and keys are small, and a purge makes room.
func (db *DB) admitted(group []*op) error {
	size := int64(0)
	for _, o := range group {
		size += int64(o.size)
	}
	return db.growBy(size)
}

func (db *DB) growBy(bytes int64) error {
	if db.cfg.Admit == nil || bytes == 0 {
		return nil
	}
	return db.cfg.Admit(bytes)
}

// dawdle makes the disk seem slow.
func (db *DB) dawdle() {
	if db.cfg.CommitDelay != nil {
		time.Sleep(db.cfg.CommitDelay())
	}
}

// grows guesses what a body adds to the file: a small one shares its page.
func (db *DB) grows(size int) int64 {
	const cell = 16
	if size+cell <= db.cfg.PageSize {
		return int64(size + cell)
	}
	return db.pagesFor(size)
}

func (db *DB) pagesFor(size int) int64 {
	page := int64(db.cfg.PageSize)
	return (int64(size) + page - 1) / page * page
}

// rollback ends a failed transaction. SQLite may have done so already, which it reports as an error of no interest.
func (db *DB) rollback(ctx context.Context) {
	if _, err := db.write.ExecContext(ctx, "ROLLBACK"); err != nil {
		db.cfg.Log.Debug("rollback after a failed transaction", "err", err)
	}
}

// forgetLast makes every log look up its last sequence again: after a failed commit it may be either.
func (db *DB) forgetLast() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, l := range db.logs {
		l.known = false
	}
}

func (db *DB) isAbandoned() bool {
	select {
	case <-db.abandon:
		return true
	default:
		return false
	}
}

// Close implements engine.Engine.
func (db *DB) Close(ctx context.Context) error {
	db.closeOnce.Do(func() { db.closeErr = db.close(ctx) })
	return db.closeErr
}

func (db *DB) close(ctx context.Context) error {
	db.mu.Lock()
	db.closed = true
	db.mu.Unlock()
	db.poke()
	select {
	case <-db.writerDone:
	case <-ctx.Done():
		close(db.abandon)
		<-db.writerDone
	}
	close(db.stopCheck)
	<-db.checkDone
	db.wakeWaiters()
	var err error
	if !db.readOnly {
		err = db.emptyWAL(context.Background())
	}
	return errors.Join(err, db.closePools())
}

func (db *DB) wakeWaiters() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, l := range db.logs {
		l.announce(0)
	}
}
