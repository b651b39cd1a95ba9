package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"watchhouse/journal"
)

const saveKey = "devices"

// saved is what the next process begins with. Everything is derived: a state of another shape is thrown away.
type saved struct {
	Shape   int                                   `json:"shape"`
	Cursors map[journal.LaneName]journal.Position `json:"cursors"`
	Devices []savedDevice                         `json:"devices"`
}

type savedDevice struct {
	ID        string             `json:"id"`
	Online    *bool              `json:"online,omitempty"`
	LastSeen  int64              `json:"last_seen,omitempty"`
	Metrics   map[string]float64 `json:"metrics,omitempty"`
	MetricsAt int64              `json:"metrics_at,omitempty"`
	V         int64              `json:"v"`
	Conns     []uint64           `json:"conns,omitempty"`
	Via       string             `json:"via,omitempty"`
	Cut       bool               `json:"cut,omitempty"`
}

const shape = 1

// save stores what is shown if anything changed. The cursors are those of applied entries; what is applied but not decoded
// yet is decoded first.
func (p *Projection) save(ctx context.Context) error {
	s, changed := p.toSave()
	if !changed {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if err := p.d.Store.Put(ctx, saveKey, b); err != nil {
		p.mu.Lock()
		p.unsaved = true
		p.mu.Unlock()
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (p *Projection) toSave() (saved, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.unsaved {
		return saved{}, false
	}
	p.unsaved = false
	s := saved{Shape: shape, Cursors: map[journal.LaneName]journal.Position{}}
	maps.Copy(s.Cursors, p.cursors)
	for _, id := range p.order {
		d := p.devices[id]
		if len(d.pending) > 0 {
			d.decode() // stays dirty: it is shown at the next interval
		}
		v := savedDevice{ID: id, Online: d.online, LastSeen: d.lastSeen, Metrics: d.metrics, MetricsAt: d.metricsAt, V: d.shown.V, Via: d.via, Cut: d.cut}
		for n := range d.conns {
			v.Conns = append(v.Conns, n)
		}
		s.Devices = append(s.Devices, v)
	}
	return s, true
}

func (p *Projection) restore(ctx context.Context) error {
	b, err := p.d.Store.Get(ctx, saveKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if s.Shape != shape {
		return nil
	}
	maps.Copy(p.cursors, s.Cursors)
	for _, v := range s.Devices {
		d := &device{online: v.Online, lastSeen: v.LastSeen, metrics: v.Metrics, metricsAt: v.MetricsAt, via: v.Via, cut: v.Cut, dirty: true, conns: map[uint64]struct{}{}}
		d.shown.V = v.V
		for _, n := range v.Conns {
			d.conns[n] = struct{}{}
		}
		p.devices[v.ID] = d
	}
	return nil
}
