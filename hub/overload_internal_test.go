package hub

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/dashboard"
	"watchhouse/journal"
)

// overloads are the states of the journal and what must be said of each: the rows of "Overload" in docs/operations.md that the hub
// itself answers for. Those of the broker and of the dashboard are tested there.
var overloads = []struct {
	name   string
	health journal.Health
	faults []string
	codes  []string // degraded
}{
	{"nothing", journal.Health{}, nil, nil},
	{"life.db cannot be written", journal.Health{Life: journal.FileHealth{Err: errors.New("no space left on device")}}, []string{"journal_life"}, nil},
	{"the events' part is used up", journal.Health{Full: []journal.LaneUse{{Lane: journal.EventLane, Life: true, Ratio: 1}}}, []string{"journal_life"}, []string{"life_space"}},
	{"the events' part is nearly used up", journal.Health{Full: []journal.LaneUse{{Lane: journal.EventLane, Life: true, Ratio: 0.86}}}, nil, []string{"life_space"}},
	{"the state lane's part is used up", journal.Health{Full: []journal.LaneUse{{Lane: journal.StateLane, Life: true, Ratio: 1}}}, nil, []string{"life_space"}},
	{"life.db is nearly full", journal.Health{Life: journal.FileHealth{UsedRatio: 0.9}}, nil, []string{"life_space"}},
	{"telemetry's part is used up", journal.Health{Full: []journal.LaneUse{{Lane: journal.TelemetryLane, Ratio: 1}}}, nil, []string{"bulk_space"}},
	{"bulk.db is nearly full", journal.Health{Bulk: journal.FileHealth{UsedRatio: 0.9}}, nil, []string{"bulk_space"}},
	{"bulk.db cannot be written", journal.Health{Bulk: journal.FileHealth{Err: errors.New("broken")}}, nil, []string{"journal_bulk"}},
	{"the disk is nearly full", journal.Health{Reserve: journal.ReserveHealth{Wanted: 8, Held: 8, BulkStopped: true}}, nil, []string{"journal_bulk"}},
	{"life lives on the reserve", journal.Health{Reserve: journal.ReserveHealth{Wanted: 8, Held: 4, BulkStopped: true}}, nil, []string{"journal_bulk", "reserve"}},
	{"there is no room for the reserve", journal.Health{Reserve: journal.ReserveHealth{Wanted: 8}}, nil, []string{"reserve"}},
	{"the disk is slow", journal.Health{Life: journal.FileHealth{FsyncP99: time.Second}}, nil, []string{"slow_disk"}},
}

func TestEveryOverloadIsSaidByItsCode(t *testing.T) {
	for _, c := range overloads {
		state := dashboard.Health{Faults: map[string]string{}, Degraded: map[string]string{}}
		describeFiles(&state, c.health)
		if got := keysOf(state.Faults); !slices.Equal(got, c.faults) {
			t.Errorf("%s: faults %v, want %v", c.name, got, c.faults)
		}
		if got := keysOf(state.Degraded); !slices.Equal(got, c.codes) {
			t.Errorf("%s: degraded %v, want %v", c.name, got, c.codes)
		}
		for _, text := range append(valuesOf(state.Faults), valuesOf(state.Degraded)...) {
			if strings.Contains(text, "/") {
				t.Errorf("%s: strangers may read %q", c.name, text)
			}
		}
	}
}

// Who is named are the biggest senders, by id, lane and share only.
func TestTheBiggestSendersAreNamed(t *testing.T) {
	state := dashboard.Health{Faults: map[string]string{}, Degraded: map[string]string{}}
	describeFiles(&state, journal.Health{Full: []journal.LaneUse{
		{Lane: journal.EventLane, Life: true, Ratio: 0.9, Senders: []journal.SenderUse{{ID: "eb-1", Share: 0.05}, {ID: "eb-2", Share: 0.04}}},
	}})
	want := []dashboard.HealthSender{{ID: "eb-1", Lane: "event", Share: 0.05}, {ID: "eb-2", Lane: "event", Share: 0.04}}
	if !slices.Equal(state.Senders, want) {
		t.Errorf("senders %v, want %v", state.Senders, want)
	}
}

// Every code that the hub can say is in the manuals, where people look it up.
func TestEveryCodeIsInTheManuals(t *testing.T) {
	for _, name := range []string{"../docs/operations.md", "../docs/wire.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range healthCodes() {
			if !strings.Contains(string(text), fmt.Sprintf("`%s`", code)) {
				t.Errorf("%s does not know %s", name, code)
			}
		}
	}
}

func keysOf(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func valuesOf(m map[string]string) []string {
	var values []string
	for _, v := range m {
		values = append(values, v)
	}
	return values
}
