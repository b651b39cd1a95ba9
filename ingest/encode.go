package ingest

import (
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// lineEncoder turns points into line protocol with times in ns. The buffer is used again by the next call.
type lineEncoder struct {
	enc lineprotocol.Encoder
}

// encode gives the lines of points. A fault is one of this program, "" for none: collector lets only encodable points through.
func (l *lineEncoder) encode(points []point) (lines []byte, fault string) {
	l.enc.Reset()
	for i := range points {
		l.line(&points[i])
	}
	if err := l.enc.Err(); err != nil {
		return nil, "cannot be encoded: " + err.Error()
	}
	return l.enc.Bytes(), ""
}

func (l *lineEncoder) line(p *point) {
	l.enc.StartLine(measurement)
	for _, tag := range [...]struct{ key, value string }{{tagArea, p.area}, {tagDevice, p.device}, {tagKind, p.kind}} {
		if tag.value != "" {
			l.enc.AddTag(tag.key, tag.value)
		}
	}
	if p.clockBad {
		l.enc.AddField(clockBadField, lineprotocol.MustNewValue(1.0))
	}
	if v, ok := lineprotocol.FloatValue(p.late); ok && p.late != 0 {
		l.enc.AddField(lateField, v)
	}
	for _, m := range p.metrics {
		if v, ok := lineprotocol.FloatValue(m.Value); ok {
			l.enc.AddField(m.Name, v)
		}
	}
	l.enc.EndLine(time.Unix(0, p.ns))
}
