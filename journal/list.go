package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"watchhouse/journal/engine"
)

// LogInfo describes one lane, stream or chain for listings. First and Last are message or step numbers; times are Unix ms of
// the sealing of the first and last frame.
type LogInfo struct {
	File    string            `json:"file"`
	Kind    string            `json:"kind"` // lane, stream, chain
	Name    string            `json:"name"`
	Frames  uint64            `json:"frames"`
	First   uint64            `json:"first"`
	Last    uint64            `json:"last"`
	Oldest  int64             `json:"oldest"`
	Newest  int64             `json:"newest"`
	Cursors map[string]string `json:"cursors,omitempty"`
}

// List describes everything in the data folder.
func (j *Journal) List(ctx context.Context) ([]LogInfo, error) {
	var out []LogInfo
	for _, l := range j.all() {
		if l.log == nil {
			continue
		}
		i, err := describe(ctx, l.log, laneMagic())
		if err != nil {
			return out, err
		}
		i.File, i.Kind, i.Name = l.file.name, "lane", string(l.name)
		for _, s := range streamNames() {
			if l.name == streamLane(s) {
				i.Kind, i.Name = "stream", s
			}
		}
		i.Cursors = map[string]string{}
		for n, p := range l.Cursors() {
			i.Cursors[n] = p.String()
		}
		out = append(out, i)
	}
	names, err := j.chainNames(ctx)
	for _, n := range names {
		log, err := j.life.engine.Log(ctx, chainLogPrefix+n, engine.Normal)
		if err != nil {
			return out, translate(err)
		}
		i, err := describe(ctx, log, chainMagic())
		if err != nil {
			return out, err
		}
		i.File, i.Kind, i.Name = j.life.name, "chain", n
		out = append(out, i)
	}
	return out, err
}

func describe(ctx context.Context, log engine.Log, m magic) (LogInfo, error) {
	first, last, err := log.Bounds(ctx)
	if err != nil || last == 0 {
		return LogInfo{}, translate(err)
	}
	i := LogInfo{Frames: last - first + 1}
	rec, h, err := readableFrom(ctx, log, m, first, last+1)
	if err != nil || rec == nil {
		return i, err
	}
	i.First, i.Oldest = h.First, h.TimeNS/int64(time.Millisecond)
	rec, h, err = readableFrom(ctx, log, m, last, last+1)
	if err != nil || rec == nil {
		return i, err
	}
	i.Last, i.Newest = h.end()-1, h.TimeNS/int64(time.Millisecond)
	return i, nil
}

// WriteList prints a listing as a table.
func WriteList(w io.Writer, list []LogInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := []string{"FILE\tKIND\tNAME\tFRAMES\tFIRST\tLAST\tOLDEST\tNEWEST\tCURSORS\n"}
	for _, i := range list {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\n",
			i.File, i.Kind, i.Name, i.Frames, i.First, i.Last, listTime(i.Oldest), listTime(i.Newest), listCursors(i.Cursors)))
	}
	_, err := io.WriteString(t, strings.Join(lines, ""))
	return errors.Join(err, t.Flush())
}

func listTime(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Format(time.DateTime)
}

func listCursors(c map[string]string) string {
	var all []string
	for _, n := range slices.Sorted(maps.Keys(c)) {
		all = append(all, n+"="+c[n])
	}
	return strings.Join(all, " ")
}
