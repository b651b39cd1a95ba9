package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"watchhouse/journal"
)

const (
	guestbookKey = "addresses"
	maxPlaces    = 4096 // addresses whose guests are remembered over a restart
)

// guestbook counts the accounts that signed in from an address last, in this run and in the one before. Guarded by door.mu.
type guestbook struct {
	home   map[string]netip.Prefix // by account
	count  map[netip.Prefix]int
	before map[netip.Prefix]int
}

func newGuestbook() guestbook {
	return guestbook{home: map[string]netip.Prefix{}, count: map[netip.Prefix]int{}, before: map[netip.Prefix]int{}}
}

// at is how many are expected from an address.
func (g *guestbook) at(place netip.Prefix) int { return max(g.count[place], g.before[place]) }

// note enters where an account signed in.
func (g *guestbook) note(account string, place netip.Prefix) {
	old, known := g.home[account]
	if known && old == place {
		return
	}
	if known {
		if g.count[old]--; g.count[old] == 0 {
			delete(g.count, old)
		}
	}
	g.home[account] = place
	g.count[place]++
}

// welcome remembers that an account signed in from an address.
func (d *door) welcome(account string, from net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guests.note(account, placeOf(from))
}

// remembered gives the addresses with the most guests.
func (d *door) remembered() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := maps.Clone(d.guests.before)
	for place := range d.guests.count {
		all[place] = d.guests.at(place)
	}
	places := slices.SortedFunc(maps.Keys(all), func(a, b netip.Prefix) int { return cmp.Compare(all[b], all[a]) })
	out := map[string]int{}
	for _, place := range places[:min(len(places), maxPlaces)] {
		out[place.String()] = all[place]
	}
	return out
}

// save keeps the guests of addresses for the next start: after it everybody comes back at once.
func (d *door) save(ctx context.Context, s shelf) error {
	body, err := json.Marshal(d.remembered())
	if err != nil {
		return fmt.Errorf("encode addresses: %w", err)
	}
	if err := s.Put(ctx, guestbookKey, body); err != nil {
		return fmt.Errorf("save addresses: %w", err)
	}
	return nil
}

// restore reads what save has kept; without it everybody is a stranger.
func (d *door) restore(ctx context.Context, s shelf) error {
	body, err := s.Get(ctx, guestbookKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read addresses: %w", err)
	}
	kept := map[string]int{}
	if err := json.Unmarshal(body, &kept); err != nil {
		return fmt.Errorf("decode addresses: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for text, n := range kept {
		if place, err := netip.ParsePrefix(text); err == nil {
			d.guests.before[place] = n
		}
	}
	return nil
}
