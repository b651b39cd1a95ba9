package journal

import (
	"fmt"
	"time"
)

// Budgets, as parts of a file's cap. No lane takes another's, messages leave a quarter of life.db to the ledger, the other chains
// and the keys, and the hub's own records have more of the state lane than what devices publish on it.
const (
	eventBudget     = 0.55
	stateBudget     = 0.15
	recordBudget    = 0.20 // of the state lane: sessions and ticks; the start of the hub is always taken
	lifeMessages    = eventBudget + recordBudget
	telemetryBudget = 0.80
	rejectsBudget   = 0.05
	lettersBudget   = 0.07

	// wholeShare of its cap is what a file may be filled to by messages, whatever the lanes' accounts say.
	wholeShare = 0.97
	// nearlyFull is the part of a budget from which on it is said who takes it.
	nearlyFull = 0.85
	// chainHeadroom is kept free before the chains when they have grown beyond their quarter.
	chainHeadroom = 0.05
	// leastScale of the messages' budgets is left to them however large the chains are.
	leastScale = 0.10
)

const (
	// senderPart: a sender may hold 1/20 of a lane's budget; one that speaks for many, a bridge, a half.
	senderPart = 20
	manyPart   = 2
	// slowed: from four fifths of its share on a sender is let in once in trickleEvery only, so that a device which has sent too
	// much in a week can still call.
	slowedNum, slowedDen = 4, 5
	trickleEvery         = 10 * time.Second
)

// Payloads of life.db. A call that is larger is kept without its bulk: it is still a call, though an unreadable one.
const (
	MaxLifePayload  = 16 << 10
	keptLifePayload = 1 << 10
)

// cut takes the bulk off a message that has too much for life.db.
func (m *Message) cut() {
	if len(m.Payload) > MaxLifePayload {
		m.Cut, m.Payload = len(m.Payload), m.Payload[:keptLifePayload]
	}
}

// scale is the part of the messages' budgets in force: 1 until the chains and keys have outgrown their quarter.
func (f *file) scale() float64 {
	if f.reserve == nil || f.maxBytes == 0 {
		return 1
	}
	others := float64(f.engine.Used()-f.messages.Load()) / float64(f.maxBytes)
	left := 1 - max(1-lifeMessages, others+chainHeadroom)
	return max(left/lifeMessages, leastScale)
}

// limit is how many bytes of the file the lane may hold when a message of that kind is added.
func (l *Lane) limit(k Kind) int64 {
	part := l.budget
	if l.name == StateLane && k != Publish && k != Will {
		part = recordBudget
	}
	return int64(part * l.file.scale() * float64(l.file.maxBytes))
}

// overBudget says why a message may not be added for want of space, with l.mu held.
func (l *Lane) overBudget(m *Message, size int) error {
	if m.Kind == HubStart {
		return nil // a start needs nothing that messages can exhaust
	}
	limit := l.limit(m.Kind)
	own := m.Kind == Connect || m.Kind == Disconnect
	switch {
	case l.stored+int64(l.bytes+size) > limit:
		return fmt.Errorf("%w: %s: its part of %s is used up", ErrLaneFull, l.name, l.file.name)
	case !own && l.file.usedRatio() >= wholeShare:
		return fmt.Errorf("%w: %s: %s is at its size cap", ErrLaneFull, l.name, l.file.name)
	}
	return l.overShare(m, limit)
}

// overShare keeps one sender from taking the others' space, with l.mu held. The end of a session is always noted.
func (l *Lane) overShare(m *Message, limit int64) error {
	if m.Device == "" || m.Kind == Disconnect {
		return nil
	}
	share := limit / senderPart
	if m.Many {
		share = limit / manyPart
	}
	u := l.senders.of(m.Device)
	have := u.stored + u.waiting + accountSize(m)
	if have <= share*slowedNum/slowedDen {
		return nil
	}
	if now := time.Now(); have <= share && l.file.reserve != nil && now.Sub(u.letIn) >= trickleEvery {
		u.letIn = now
		return nil
	}
	u.refused++
	return fmt.Errorf("%w: %s holds %d bytes of lane %s, at most %d", ErrSenderFull, m.Device, u.stored+u.waiting, l.name, share)
}

// pressed says that read frames must go before their age.
func (l *Lane) pressed() bool {
	l.mu.Lock()
	stored := l.stored
	l.mu.Unlock()
	return float64(stored) >= purgeFrom*float64(l.limit(Publish)) || l.file.usedRatio() >= purgeFrom
}
