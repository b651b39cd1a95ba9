package telemetry

import (
	"slices"
	"strconv"
	"strings"

	"watchhouse/telemetry/scan"
)

// Reading is one telemetry object.
type Reading struct {
	TS        *int64
	Boot, Seq *uint32
	Metrics   []Metric // in name order
}

// Identity is the dedupe key of a reading, by the rule of Event.Identity.
func (r Reading) Identity(device string) string { return identity(device, r.TS, r.Boot, r.Seq) }

// maxMetrics bounds the metrics of one reading, and so the columns a faulty device can make in the database.
const maxMetrics = 256

// DecodeTelemetry decodes an object or an array of objects, oldest first. What is usable is returned even with an error,
// which is FieldErrors (package comment).
func DecodeTelemetry(p []byte) ([]Reading, error) {
	s, err := open(p)
	if err != nil {
		return nil, FieldErrors{err}
	}
	d := readingDecoder{s: s, at: -1}
	switch {
	case d.s.Take('{'):
		d.readings = make([]Reading, 0, 1)
		err = d.object()
	case d.s.Take('['):
		err = d.array()
	default:
		v := d.s.Value()
		err = fault(payloadField, "a JSON object or an array of objects", v.Shape.String())
	}
	if err != nil {
		return nil, FieldErrors{err}
	}
	d.s.Close()
	d.faults.add(d.s.Flaw())
	return d.readings, d.faults.err()
}

// readingDecoder gathers the readings of a payload and the faults of single fields; at is the index in an array, -1 outside.
type readingDecoder struct {
	s        scan.Scanner
	at       int
	readings []Reading
	faults   FieldErrors
	over     bool // more metrics than maxMetrics
}

func (d *readingDecoder) array() *FieldError {
	for d.at = 0; ; d.at++ {
		more, err := d.s.Next(']')
		if err != nil || !more {
			return err
		}
		if err := d.element(); err != nil {
			return err
		}
	}
}

// element reads one element of the array; one that is no object is reported and left out.
func (d *readingDecoder) element() *FieldError {
	v := scan.Value{Shape: scan.Object}
	if !d.s.Take('{') {
		v = d.s.Value()
	} else if err := d.object(); err != nil {
		return err
	}
	isReading := v.Shape == scan.Object
	whole := d.s.Settle(&v)
	if whole && isReading {
		return nil
	}
	err := fault("["+strconv.Itoa(d.at)+"]", "an object", v.Shape.String())
	if !whole {
		return err
	}
	d.faults.add(err)
	return nil
}

// object reads the members of one reading.
func (d *readingDecoder) object() *FieldError {
	var r Reading
	var seen fieldSet
	d.over = false
	for {
		name, v, more, err := d.s.Member()
		if err != nil {
			return d.within(err)
		}
		if !more {
			break
		}
		if v.Shape != scan.Null {
			d.field(&r, &seen, name, v)
		}
	}
	d.order(&r)
	d.readings = append(d.readings, r)
	return nil
}

func (d *readingDecoder) field(r *Reading, seen *fieldSet, name []byte, v scan.Value) {
	var err *FieldError
	switch string(name) {
	case "ts":
		if r.TS, err = stampField(seen, v); err != nil {
			r.TS = new(int64)
		}
	case "boot":
		r.Boot, err = countField(seen, fieldBoot, "boot", v)
	case "seq":
		r.Seq, err = countField(seen, fieldSeq, "seq", v)
	default:
		err = d.metric(r, name, v)
	}
	if err != nil {
		d.faults.add(d.within(err))
	}
}

func (d *readingDecoder) metric(r *Reading, key []byte, v scan.Value) *FieldError {
	if !validMetricName(key) {
		return fault(scan.FieldName(key), "a metric name of 1 to 64 letters, digits, _, - or .", "another")
	}
	f, err := number(v)
	if err != nil {
		err.Field = scan.FieldName(key)
		return err
	}
	if len(r.Metrics) == maxMetrics {
		if d.over {
			return nil
		}
		d.over = true
		return fault(scan.FieldName(key), "at most "+strconv.Itoa(maxMetrics)+" metrics", "more")
	}
	if r.Metrics == nil {
		r.Metrics = make([]Metric, 0, 4)
	}
	r.Metrics = append(r.Metrics, Metric{metricName(key), f})
	return nil
}

// order sorts the metrics by name and leaves out those given more than once.
func (d *readingDecoder) order(r *Reading) {
	byName := func(a, b Metric) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(r.Metrics, byName) {
		slices.SortStableFunc(r.Metrics, byName)
	}
	kept := r.Metrics[:0]
	for i := 0; i < len(r.Metrics); {
		n := i + 1
		for n < len(r.Metrics) && r.Metrics[n].Name == r.Metrics[i].Name {
			n++
		}
		if n == i+1 {
			kept = append(kept, r.Metrics[i])
		} else {
			d.faults.add(d.within(fault(scan.FieldName([]byte(r.Metrics[i].Name)), "the field once", gotTwice)))
		}
		i = n
	}
	r.Metrics = kept
}

// within adds the index of the reading to a fault's field.
func (d *readingDecoder) within(err *FieldError) *FieldError {
	if d.at >= 0 {
		err.Field = index(d.at, err.Field)
	}
	return err
}
