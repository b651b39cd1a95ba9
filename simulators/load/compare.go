package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Compare runs the same closed loop against two brokers in turns, so that whatever else the machine does hits both.
type Compare struct {
	Throughput
	Rounds int `help:"Rounds; the median of each side counts." default:"3"`
}

// CompareResult holds every run and the medians.
type CompareResult struct {
	A, B             []ThroughputResult
	MedianA, MedianB float64 // acknowledged messages a second
	Ratio            float64 // of A to B
}

// Run measures A, B, then B, A, and so on: whoever is second in one round is first in the next.
func (c Compare) Run(ctx context.Context, a, b Target, progress Progress) (CompareResult, error) {
	if c.Rounds < 1 {
		return CompareResult{}, fmt.Errorf("load: compare: rounds: want at least 1, have %d", c.Rounds)
	}
	var r CompareResult
	for round := range c.Rounds {
		first, second := &r.A, &r.B
		one, two := a, b
		if round%2 == 1 {
			first, second, one, two = second, first, two, one
		}
		if err := errors.Join(c.add(ctx, one, first, progress), c.add(ctx, two, second, progress)); err != nil {
			return r, fmt.Errorf("load: compare: round %d: %w", round+1, err)
		}
	}
	r.MedianA, r.MedianB = median(r.A), median(r.B)
	if r.MedianB > 0 {
		r.Ratio = r.MedianA / r.MedianB
	}
	return r, nil
}

func (c Compare) add(ctx context.Context, t Target, out *[]ThroughputResult, progress Progress) error {
	r, err := c.Throughput.Run(ctx, t, progress)
	*out = append(*out, r)
	return err
}

func median(runs []ThroughputResult) float64 {
	var rates []float64
	for _, r := range runs {
		rates = append(rates, r.PerSecond)
	}
	slices.Sort(rates)
	n := len(rates)
	return (rates[(n-1)/2] + rates[n/2]) / 2
}
