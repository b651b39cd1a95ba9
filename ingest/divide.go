package ingest

import (
	"context"
)

// maxPasses is how many points are looked for by searching before a batch is halved until every part is answered for: a search takes
// few requests for one bad point among thousands, halving few for each of many.
const maxPasses = 3

// store puts points and then, in as few requests as possible, those that are probably sound.
func (d *delivery) store(ctx context.Context, points []point) error {
	for len(points) > 0 {
		if err := d.put(ctx, points); err != nil {
			return err
		}
		points, d.rest = d.rest, nil
		d.passes++
	}
	return nil
}

// put stores points, dividing them until the server takes or refuses each part by itself.
func (d *delivery) put(ctx context.Context, points []point) error {
	if len(points) == 0 {
		return nil
	}
	a, err := d.send(ctx, points)
	if err != nil {
		return err
	}
	return d.judged(ctx, points, a)
}

// judged goes on after an answer.
func (d *delivery) judged(ctx context.Context, points []point, a answer) error {
	switch {
	case a.verdict == accepted:
		d.accepted += len(points)
		return nil
	case a.field != "":
		if rest, ok := d.strip(points, a); ok {
			return d.put(ctx, rest)
		}
	case a.verdict == refused && a.dropped >= len(points):
		d.refuse(points, a)
		return nil
	}
	if len(points) == 1 {
		return d.refuseOne(points, a)
	}
	return d.divide(ctx, points, a)
}

// divide sends the first half of points of which some are bad, as a says, and concludes from its answer what it can about the second.
// What it concludes is not believed: a point is bad when the server has refused it by itself or all of its request, and sound when a
// request with it was accepted.
func (d *delivery) divide(ctx context.Context, points []point, a answer) error {
	first, second := points[:len(points)/2], points[len(points)/2:]
	b, err := d.send(ctx, first)
	if err != nil {
		return err
	}
	if err := d.judged(ctx, first, b); err != nil {
		return err
	}
	left := a
	left.dropped = secondDropped(a, b)
	switch known := left.dropped >= 0; {
	case len(second) == 1, a.verdict == tooLarge, d.passes > maxPasses, known && left.dropped >= len(second):
		return d.put(ctx, second)
	case known && left.dropped > 0, !known && b.verdict == accepted:
		return d.divide(ctx, second, left)
	}
	d.rest = append(d.rest, second...)
	return nil
}

// secondDropped is how many points of the second half are bad, when the server has counted those of the whole and of the first half;
// else -1.
func secondDropped(whole, first answer) int {
	switch {
	case whole.dropped <= 0:
		return -1
	case first.verdict == accepted:
		return whole.dropped
	case first.verdict != refused || first.dropped < 0 || first.field != "":
		return -1
	}
	return max(0, whole.dropped-first.dropped)
}

// strip takes the conflicting field out of the points; ok is false when none has it.
func (d *delivery) strip(points []point, a answer) (rest []point, ok bool) {
	rest = make([]point, 0, len(points))
	for _, p := range points {
		left, had := p.without(a.field)
		if had {
			ok = true
			d.refused = append(d.refused, refusal{p, a.field, a.reason})
		}
		if len(left.metrics) > 0 {
			rest = append(rest, left)
		}
	}
	return rest, ok
}

func (d *delivery) refuse(points []point, a answer) {
	for _, p := range points {
		d.refused = append(d.refused, refusal{p: p, reason: a.reason})
	}
}

func (d *delivery) refuseOne(points []point, a answer) error {
	if a.verdict == doubtful {
		d.doubted++
		if d.accepted == 0 && d.doubted >= doubtLimit {
			return errDoubt
		}
	}
	d.refuse(points, a)
	return nil
}
