package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchhouse/journal/engine"
)

// senders is what each sender's messages take in a lane, guarded by Lane.mu. The lane's frames are the truth: the accounts are
// saved now and then, and what came after the last time is counted again at the next start.
type senders map[string]*senderUse

type senderUse struct {
	stored, waiting int64 // bytes, on disk and on their way
	letIn           time.Time
	refused         int // since the last line in the log
}

// of gives a sender's account, a new one if need be. The name is copied: it may be a piece of a whole frame.
func (s senders) of(id string) *senderUse {
	u := s[id]
	if u == nil {
		u = &senderUse{}
		s[strings.Clone(id)] = u
	}
	return u
}

// accountSize is what a message counts for: its variable parts, and a lone frame's header.
func accountSize(m *Message) int64 {
	return headerSize + int64(len(m.Client)+len(m.Device)+len(m.Topic)+len(m.Payload))
}

// recordSize is what a record takes in the file: large ones spill to whole pages.
func recordSize(n int) int64 {
	const page, cell = 4096, 16
	if n <= page-cell {
		return int64(n + cell)
	}
	return int64(n+page-1) / page * page
}

// booked is a message of a batch and the account it counts for.
type booked struct {
	use  *senderUse
	size int64
}

// book notes a message that is on its way, with l.mu held.
func (l *Lane) book(b *batch, m *Message) {
	if m.Device == "" {
		return
	}
	u, size := l.senders.of(m.Device), accountSize(m)
	u.waiting += size
	b.booked = append(b.booked, booked{u, size})
}

// charge moves what was committed to the accounts, with l.mu held.
func (l *Lane) charge(group []*batch, frames [][]byte) {
	for _, b := range group {
		for _, k := range b.booked {
			k.use.waiting -= k.size
			k.use.stored += k.size
		}
	}
	for _, f := range frames {
		l.add(recordSize(len(f)))
	}
}

// add changes what the lane holds, with l.mu held.
func (l *Lane) add(n int64) {
	n = max(n, -l.stored)
	l.stored += n
	l.file.messages.Add(n)
}

// count adds records that were there before, or with sign -1 takes off those that are purged. What cannot be read has no sender.
func (l *Lane) count(recs []engine.Record, sign int64) {
	for _, rec := range recs {
		var entries []Entry
		if f, err := l.open(rec); err == nil {
			entries, _ = f.decode()
		}
		l.mu.Lock()
		l.add(sign * recordSize(len(rec.Body)))
		for i := range entries {
			if m := &entries[i].Message; m.Device != "" {
				l.tally(m.Device, sign*accountSize(m))
			}
		}
		l.mu.Unlock()
	}
}

// tally changes one sender's account, with l.mu held, and closes it when nothing is left.
func (l *Lane) tally(id string, n int64) {
	u := l.senders.of(id)
	if u.stored = max(u.stored+n, 0); u.stored == 0 && u.waiting == 0 {
		delete(l.senders, id)
	}
}

// SenderUse is what one sender takes of a lane's budget, 0 to 1.
type SenderUse struct {
	ID    string
	Share float64
}

// maxNamed is how many senders are named.
const maxNamed = 5

// biggest names who takes most, with l.mu held.
func (l *Lane) biggest(limit int64) []SenderUse {
	var out []SenderUse
	for id, u := range l.senders {
		out = append(out, SenderUse{id, float64(u.stored) / float64(max(limit, 1))})
	}
	slices.SortFunc(out, func(a, b SenderUse) int { return cmp.Or(cmp.Compare(b.Share, a.Share), strings.Compare(a.ID, b.ID)) })
	return slices.Clone(out[:min(len(out), maxNamed)])
}

// takeRefused gives and forgets who was refused for its share.
func (l *Lane) takeRefused() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int{}
	for id, u := range l.senders {
		if u.refused > 0 {
			out[id], u.refused = u.refused, 0
		}
	}
	return out
}

// savedAccount is the form in the keys of the lane's file.
type savedAccount struct {
	First   uint64           `json:"first"` // frames that are counted
	Last    uint64           `json:"last"`
	Stored  int64            `json:"stored"`
	Senders map[string]int64 `json:"senders"` // but for those of no weight
}

// accountKey is in the journal's own bucket of each file.
func (l *Lane) accountKey() string { return "use." + string(l.name) }

// loadAccount takes up what an earlier run has saved; with none, or one that does not fit the log, all is counted anew.
func (l *Lane) loadAccount(ctx context.Context) error {
	first, last, err := l.log.Bounds(ctx)
	if err != nil {
		return translate(err)
	}
	l.counted, l.found = max(first, 1)-1, last
	raw, err := l.file.engine.Get(ctx, ownBucket, l.accountKey())
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return translate(err)
	}
	var s savedAccount
	if err := json.Unmarshal(raw, &s); err != nil || s.First != first || s.Last > last {
		return nil //nolint:nilerr // a view: what cannot be read is made again
	}
	l.counted = s.Last
	l.add(s.Stored)
	for id, n := range s.Senders {
		l.senders.of(id).stored = n
	}
	return nil
}

// noWeight is the part (1/n) of a budget below which a sender is not saved.
const noWeight = 100_000

// saveAccount keeps the accounts for the next start, once all that was found is counted.
func (l *Lane) saveAccount(ctx context.Context) error {
	first, _, err := l.log.Bounds(ctx)
	if err != nil {
		return translate(err)
	}
	l.mu.Lock()
	s := savedAccount{First: first, Last: l.head.Frame, Stored: l.stored, Senders: map[string]int64{}}
	changed := s.First != l.saved.First || s.Last != l.saved.Last
	for id, u := range l.senders {
		if u.stored > int64(l.budget*float64(l.file.maxBytes))/noWeight {
			s.Senders[id] = u.stored
		}
	}
	l.mu.Unlock()
	if !changed || l.counted < l.found {
		return nil
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("save the account of lane %s: %w", l.name, err)
	}
	l.file.engine.PutLater(ownBucket, l.accountKey(), raw)
	l.saved = s
	return nil
}

// recount counts a few of the frames found at the start that are not counted yet, and says whether there are more.
func (l *Lane) recount(ctx context.Context) (more bool, err error) {
	if l.counted >= l.found {
		return false, nil
	}
	recs, err := l.log.Read(ctx, l.counted+1, readRecords, readBytes)
	if err != nil {
		return false, translate(err)
	}
	recs = slices.DeleteFunc(recs, func(r engine.Record) bool { return r.Seq > l.found })
	if len(recs) == 0 {
		l.counted = l.found
		return false, nil
	}
	l.count(recs, 1)
	l.counted = recs[len(recs)-1].Seq
	return true, nil
}
