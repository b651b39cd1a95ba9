package alerts

import (
	"slices"

	"watchhouse/journal"
)

// markBridge counts what an entry says of the account that sent it, when that is a bridge. Its connection is supervised, not only its
// messages: a bridge of few devices says nothing for hours, and is missed all the same when it is gone.
func (l *lastSeen) markBridge(e *journal.Entry) {
	switch e.Kind {
	case journal.HubStart: // no connection outlives the hub
		l.disconnectAll(e.ReceivedNS)
	case journal.Connect, journal.Disconnect:
		if _, bridge := l.world().Bridge(e.Device); bridge {
			l.touch(e.Device, e.ReceivedNS)
			l.connection(e.Device, e.Conn, e.Kind == journal.Connect)
		}
	case journal.Publish, journal.Will:
		w := l.world()
		if _, bridge := w.Bridge(e.Device); !bridge {
			return
		}
		switch online, says := w.BridgeState(e.Topic, e.Payload); {
		case says && !online:
			l.gone(e.Device, e.ReceivedNS)
		case e.Kind == journal.Publish:
			l.touch(e.Device, e.ReceivedNS)
			l.back(e.Device, e.ReceivedNS)
		}
	}
}

// connection notes a connection of a bridge, or its end.
func (l *lastSeen) connection(bridge string, conn uint64, up bool) {
	l.with(bridge, func(m map[string]heard) {
		h := m[bridge]
		rest := slices.DeleteFunc(slices.Clone(h.Up), func(n uint64) bool { return n == conn })
		if up {
			rest = append(rest, conn)
		}
		h.Up = rest
		m[bridge] = h
	})
}

// gone notes that what stands behind a bridge's connection has said its last word, unless something newer has been heard: lanes are
// read at different speeds.
func (l *lastSeen) gone(bridge string, ns int64) {
	l.with(bridge, func(m map[string]heard) {
		if h := m[bridge]; ns >= h.Last {
			h.Down, h.Last = ns, ns // its silence begins here
			m[bridge] = h
		}
	})
}

// back takes gone back for anything that came later.
func (l *lastSeen) back(bridge string, ns int64) {
	l.with(bridge, func(m map[string]heard) {
		if h := m[bridge]; h.Down != 0 && ns > h.Down {
			h.Down = 0
			m[bridge] = h
		}
	})
}

// disconnectAll ends all connections: the silence of a bridge that does not come back begins here.
func (l *lastSeen) disconnectAll(ns int64) {
	for i := range l.parts {
		p := &l.parts[i]
		p.mu.Lock()
		for id, h := range p.m {
			if len(h.Up) > 0 {
				h.Up, h.Last = nil, max(h.Last, ns)
				p.m[id] = h
			}
		}
		p.mu.Unlock()
	}
}
