package journal

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// cursorSet holds the positions of a lane's named readers.
type cursorSet struct {
	mu sync.Mutex
	at map[string]Position
}

func (c *cursorSet) get(name string) (Position, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.at[name]
	return p, ok
}

// advance keeps the greater position and says whether it changed.
func (c *cursorSet) advance(name string, p Position) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.at[name]
	if ok && p.Compare(old) <= 0 {
		return false
	}
	if c.at == nil {
		c.at = map[string]Position{}
	}
	c.at[name] = p
	return true
}

// least is the smallest cursor; ok is false when there is none.
func (c *cursorSet) least() (p Position, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.at {
		if !ok || at.Compare(p) < 0 {
			p, ok = at, true
		}
	}
	return p, ok
}

func (l *Lane) cursorBucket() string { return "cursor." + string(l.name) }

// Cursor gives a named reader's position; purge never passes the smallest. A new cursor reads as zero, and holds the purge
// back from now on.
func (l *Lane) Cursor(ctx context.Context, name string) (Position, error) {
	if l.log == nil {
		return Position{}, l.file.unavailable()
	}
	if err := ctx.Err(); err != nil {
		return Position{}, err
	}
	if l.cursors.advance(name, Position{}) && !l.env.readOnly { // a new one, which listings shall show
		l.file.engine.PutLater(l.cursorBucket(), name, []byte(Position{}.String()))
	}
	p, _ := l.cursors.get(name)
	return p, nil
}

// SetCursor moves a cursor forward; a smaller position is ignored. It is cheap: written with the file's next commit or
// within a second, not fsynced alone, so that after a kill a reader may see again what it had read.
func (l *Lane) SetCursor(ctx context.Context, name string, p Position) error {
	if l.log == nil || l.env.readOnly {
		return l.file.unavailable()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.Compare(l.Head()) > 0 {
		return fmt.Errorf("%w: cursor %s at %s lies beyond the head of lane %s", ErrNotFound, name, p, l.name)
	}
	if l.cursors.advance(name, p) {
		l.file.engine.PutLater(l.cursorBucket(), name, []byte(p.String()))
	}
	return nil
}

// DropCursor forgets a reader that will not come back, so that it does not hold the purge.
func (l *Lane) DropCursor(ctx context.Context, name string) error {
	if l.log == nil || l.env.readOnly {
		return l.file.unavailable()
	}
	l.cursors.mu.Lock()
	delete(l.cursors.at, name)
	l.cursors.mu.Unlock()
	return translate(l.file.engine.Delete(ctx, l.cursorBucket(), name))
}

// Cursors gives all named readers.
func (l *Lane) Cursors() map[string]Position {
	l.cursors.mu.Lock()
	defer l.cursors.mu.Unlock()
	return maps.Clone(l.cursors.at)
}

// loadCursors reads the stored positions when the lane is opened.
func (l *Lane) loadCursors(ctx context.Context) error {
	names, err := l.file.engine.Keys(ctx, l.cursorBucket())
	if err != nil {
		return translate(err)
	}
	for _, n := range names {
		v, err := l.file.engine.Get(ctx, l.cursorBucket(), n)
		if err != nil {
			return translate(err)
		}
		p, err := ParsePosition(string(v))
		if err != nil {
			return fmt.Errorf("%w: cursor %s of lane %s: %w", ErrDamaged, n, l.name, err)
		}
		l.cursors.advance(n, p)
	}
	return nil
}
