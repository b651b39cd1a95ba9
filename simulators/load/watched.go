package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"watchhouse/simulators/report"
)

// Gauges are values that are read together, once a second.
type Gauges struct {
	Names, Units []string
	Read         func(context.Context) ([]float64, error)
}

// Watched runs the rate and reads the gauges once a second while it does.
func (c Rate) Watched(ctx context.Context, t Target, g Gauges, progress Progress) (RateResult, []report.Series, error) {
	series := make([]report.Series, len(g.Names))
	for i := range series {
		series[i] = report.Series{Name: g.Names[i], Unit: g.Units[i], Step: 1}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var fault error
	var watcher sync.WaitGroup
	watcher.Go(func() {
		defer stop() // nothing is measured without the gauges
		fault = g.watch(ctx, series, int(c.Duration/time.Second), progress)
	})
	r, err := c.Run(ctx, t, progress)
	stop()
	watcher.Wait()
	return r, series, errors.Join(err, fault)
}

// watch reads until ctx ends.
func (g Gauges) watch(ctx context.Context, into []report.Series, seconds int, progress Progress) error {
	each := time.NewTicker(time.Second)
	defer each.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-each.C:
		}
		values, err := g.Read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for i, v := range values {
			into[i].Values = append(into[i].Values, v)
		}
		if n%10 == 0 {
			progress.report("steady rate", n, seconds)
		}
	}
}
