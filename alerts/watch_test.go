package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// streets is a plant with sorting points of one place, a recyclables point and two garages of one place.
func streets(p *plant) {
	p.world.places = map[string]registry.Place{
		"p1": {ID: "p1", Name: "12号楼旁", Hours: "06:00-09:00;17:30-20:30"}, "p2": {ID: "p2", Hours: "08:00-18:00"}, "p3": {ID: "p3"},
	}
	p.world.contacts = []registry.Contact{
		{ID: "c-clean", Duty: "sanitation", Webhook: "http://127.0.0.1:9/"}, {ID: "c-tech", Duty: "tech"},
	}
	for _, d := range []registry.Device{
		{ID: "s1", Kind: telemetry.SortingPoint, Area: "a1", Place: "p1", ReportInterval: 10 * time.Minute},
		{ID: "s2", Kind: telemetry.SortingPoint, Area: "a1", Place: "p1"},
		{ID: "s3", Kind: telemetry.SortingPoint, Area: "a1", Place: "p1"},
		{ID: "s4", Kind: telemetry.SortingPoint, Area: "a1", Place: "p1"},
		{ID: "r1", Kind: telemetry.RecyclablesPoint, Area: "a1", Place: "p2"},
		{ID: "g1", Kind: telemetry.Garage, Area: "a1", Place: "p3"},
		{ID: "g2", Kind: telemetry.Garage, Area: "a1", Place: "p3"},
	} {
		p.world.devices[d.ID] = d
	}
}

func (p *plant) reading(device, payload string) {
	p.tele.add(publish("wh/v1/"+device+"/telemetry", device, payload))
}

// pass lets the lanes tick for a while.
func (p *plant) pass(d time.Duration) {
	step := min(d, max(d/30, 10*time.Second))
	for at := time.Duration(0); at < d; at += step {
		time.Sleep(step)
		p.tick()
	}
	synctest.Wait()
}

// fills sends levels of one metric, one every step.
func (p *plant) fills(device, metric string, step time.Duration, levels ...float64) {
	for _, v := range levels {
		p.reading(device, fmt.Sprintf(`{%q:%g}`, metric, v))
		p.pass(step)
	}
}

// shown lists the open incidents of a device, and the orders and records that are closed.
func (p *plant) shown(device string) string {
	list := []string{}
	for _, i := range p.live(device) {
		if i.Rule == "WS-OFFLINE" || i.Rule == "GA-OFFLINE" || i.Rule == "GW-OFFLINE" {
			continue
		}
		text := fmt.Sprintf("%s P%d %s", conditionKey(i.Rule, i.Component, ""), i.Priority, i.State)
		if i.Order {
			text += " order"
		}
		if i.HasBadge(BadgeConfirmed) {
			text += " confirmed"
		}
		list = append(list, strings.Replace(text, ": ", " ", 1))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (p *plant) see(want string) {
	p.tb.Helper()
	synctest.Wait()
	if got := p.shown("s1"); got != want {
		p.tb.Errorf("shown %q, want %q", got, want)
	}
}

func (p *plant) seeOf(device, want string) {
	p.tb.Helper()
	synctest.Wait()
	if got := p.shown(device); got != want {
		p.tb.Errorf("%s shows %q, want %q", device, got, want)
	}
}

func repeat(n int, v float64) []float64 {
	return slices.Repeat([]float64{v}, n)
}

// at is a time of day in Shanghai on the bubble's first day, which begins at midnight UTC.
func (p *plant) untilClock(hour, minute int) {
	now := time.Now().UTC().Add(8 * time.Hour)
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, time.UTC)
	if at.Before(now) {
		at = at.Add(24 * time.Hour)
	}
	time.Sleep(at.Sub(now))
	p.tick()
	synctest.Wait()
}

const wet, temp = "fill_wet_pct", "temp_c"

// catalogue is each rule's story: what happens and what is shown.
var catalogue = []struct {
	name string
	play func(p *plant)
}{
	{"WS-FULL: at 80 after ten minutes, silent, to the contact, and done when emptied", func(p *plant) {
		p.fills("s1", wet, 10*time.Minute, 60, 79, 79, 79)
		p.see("")
		p.fills("s1", wet, 5*time.Minute, 85, 86)
		p.see("")
		p.pass(6 * time.Minute)
		p.see("WS-FULL:wet P4 new order")
		if i := p.only("s1"); i.Contact != "c-clean" || i.Component != "wet" || len(p.engine.book.outbox) != 1 || i.Deadlines[0].Name != "overdue" {
			p.tb.Errorf("%+v", i)
		}
		p.fills("s1", wet, 3*time.Minute, 30)
		p.see("WS-FULL:wet P4 new order")
		p.pass(3 * time.Minute)
		p.see("WS-FULL:wet P4 closed order")
		if n := len(p.engine.book.outbox); n != 0 {
			p.tb.Errorf("%d orders still to be delivered", n)
		}
	}},
	{"WS-FULL: late after six hours, and an alarm from then on", func(p *plant) {
		for range 6 * 6 {
			p.fills("s1", wet, 10*time.Minute, 85)
		}
		p.see("WS-FULL:wet P4 new order")
		p.fills("s1", wet, 10*time.Minute, 86, 85, 86)
		p.see("WS-FULL:wet P3 new")
		p.fills("s1", wet, 10*time.Minute, 30)
		p.see("WS-FULL:wet P3 recovered")
	}},
	{"WS-OVER: two hours until somebody superior hears", func(p *plant) {
		p.fills("s1", wet, 10*time.Minute, 94, 94, 97, 96, 97)
		p.see("WS-FULL:wet P4 new order, WS-OVER:wet P3 new")
		p.fills("s1", wet, 10*time.Minute, repeat(12, 99)...)
		p.see("WS-FULL:wet P4 new order, WS-OVER:wet P2 new")
		p.fills("s1", wet, 10*time.Minute, 61)
		p.see("WS-FULL:wet P4 new order, WS-OVER:wet P2 new")
		p.fills("s1", wet, 10*time.Minute, 20)
		p.see("WS-FULL:wet P4 closed order, WS-OVER:wet P2 recovered")
	}},
	{"WS-OVER: streams are apart", func(p *plant) {
		for range 4 {
			p.reading("s1", `{"fill_wet_pct":97,"fill_dry_pct":20}`)
			p.pass(20 * time.Minute)
		}
		p.see("WS-FULL:wet P4 new order, WS-OVER:wet P3 new")
		for range 4 {
			p.reading("s1", `{"fill_wet_pct":20,"fill_dry_pct":97}`)
			p.pass(20 * time.Minute) // too far apart to be a jump
		}
		p.see("WS-FULL:dry P4 new order, WS-FULL:wet P4 closed order, WS-OVER:dry P3 new, WS-OVER:wet P3 recovered")
	}},
	{"WS-OVER: one bad reading is none", func(p *plant) {
		p.fills("s1", wet, 10*time.Minute, 50, 51, 99, 52, 53, 99, 54)
		p.see("")
	}},
	{"WS-OVER: oscillating from 94 to 96 for three hours, scenario 10", func(p *plant) {
		for range 18 {
			p.fills("s1", wet, 5*time.Minute, 94, 96)
		}
		got := p.shown("s1")
		if n := len(p.live("s1")); n > 2 || strings.Count(got, "WS-OVER") > 1 || strings.Count(got, "order") != 1 {
			p.tb.Errorf("shown %s", got)
		}
	}},
	{"WS-SENSOR: out of range raises nothing else", func(p *plant) {
		p.fills("s1", wet, 10*time.Minute, repeat(5, 255)...)
		p.see("WS-SENSOR:wet P4 new order")
		p.fills("s1", wet, 10*time.Minute, 50, 52)
		p.see("WS-SENSOR:wet P4 new order")
		p.fills("s1", wet, 10*time.Minute, 53)
		p.see("WS-SENSOR:wet P4 closed order")
	}},
	{"WS-SENSOR: a jump must prove itself before it counts as full", func(p *plant) {
		p.fills("s1", wet, 10*time.Minute, 30, 30, 98, 98)
		p.see("WS-SENSOR:wet P4 new order")
		p.fills("s1", wet, 9*time.Minute, 98)
		p.see("WS-SENSOR:wet P4 closed order")
		p.fills("s1", wet, 10*time.Minute, 98)
		p.see("WS-FULL:wet P4 new order, WS-OVER:wet P3 new, WS-SENSOR:wet P4 closed order")
	}},
	{"WS-SENSOR: the same for a day", func(p *plant) {
		p.fills("s4", wet, time.Hour, 40, 50)
		p.fills("s4", wet, time.Hour, repeat(24, 41)...)
		if got := p.shown("s4"); strings.Contains(got, "WS-SENSOR") {
			p.tb.Errorf("shown %s", got)
		}
		p.fills("s4", wet, time.Hour, repeat(12, 41)...)
		if got := p.shown("s4"); !strings.Contains(got, "WS-SENSOR:wet P4 new order") {
			p.tb.Errorf("shown %s", got)
		}
	}},
	{"WS-GROUND: a quarter of an hour, and gone", func(p *plant) {
		p.press("s1", `{"type":"bag_on_ground"}`)
		p.pass(10 * time.Minute)
		p.press("s1", `{"type":"bag_on_ground"}`)
		p.see("")
		p.pass(6 * time.Minute)
		p.see("WS-GROUND P3 new")
		p.pass(14 * time.Minute)
		p.see("WS-GROUND P3 new")
		p.pass(7 * time.Minute)
		p.see("WS-GROUND P3 recovered")
	}},
	{"WS-MISTIME: a record, and an order for five", func(p *plant) {
		p.untilClock(20, 20)
		for n := range 6 {
			p.press("s1", fmt.Sprintf(`{"type":"opened","boot":1,"seq":%d}`, n))
		}
		p.pass(15 * time.Minute)
		p.see("")
		p.press("s1", `{"type":"opened","boot":1,"seq":7}`)
		p.pass(20 * time.Second)
		p.see("WS-MISTIME-LOG P4 closed")
		for n := range 4 {
			p.press("s1", fmt.Sprintf(`{"type":"opened","boot":1,"seq":%d}`, n+8))
			p.press("s1", fmt.Sprintf(`{"type":"opened","boot":1,"seq":%d}`, n+8)) // redelivered
		}
		p.pass(20 * time.Second)
		p.see("WS-MISTIME P4 new order, WS-MISTIME-LOG P4 closed")
		p.untilClock(5, 50)
		p.pass(20 * time.Minute)
		p.see("WS-MISTIME P4 closed order, WS-MISTIME-LOG P4 closed")
	}},
	{"WS-WET-LATE: 26 hours", func(p *plant) {
		p.emptyThen("s1", 27*time.Hour, `{"fill_wet_pct":%d,"temp_c":20}`, 25*time.Hour+30*time.Minute, "WS-WET-LATE P3 new")
	}},
	{"WS-WET-LATE: 14 hours in the heat", func(p *plant) {
		p.emptyThen("s1", 15*time.Hour, `{"fill_wet_pct":%d,"temp_c":36}`, 13*time.Hour+30*time.Minute, "WS-WET-LATE P3 new")
		p.pass(time.Hour)
		p.reading("s1", `{"fill_wet_pct":4}`)
		p.pass(2 * time.Minute)
		p.see("WS-WET-LATE P3 recovered")
	}},
	{"WS-DRY-LATE: full before six in the morning", func(p *plant) {
		p.untilClock(8, 0)
		p.fills("s1", "fill_dry_pct", time.Hour, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37)
		p.see("")
		p.fills("s1", "fill_dry_pct", time.Hour, 45, 50, 60)
		p.see("WS-DRY-LATE P4 new order")
		p.fills("s1", "fill_dry_pct", 10*time.Minute, 5)
		p.see("WS-DRY-LATE P4 closed order")
	}},
	{"RS-BOOK: full before nine in the morning", func(p *plant) {
		p.untilClock(9, 30)
		p.fills("r1", "fill_recyclable_pct", time.Hour, 10, 20, 30)
		p.seeOf("r1", "")
		p.fills("r1", "fill_recyclable_pct", time.Hour, 42)
		p.seeOf("r1", "RS-BOOK P4 new order")
	}},
	{"RS-FULL: two hours while it is open", func(p *plant) {
		p.untilClock(16, 0)
		p.fills("r1", "fill_recyclable_pct", 30*time.Minute, repeat(5, 97)...)
		p.fills("r1", "fill_recyclable_pct", 30*time.Minute, repeat(6, 97)...)
		if got := p.shown("r1"); strings.Contains(got, "RS-FULL") {
			p.tb.Errorf("at %s shown %s", time.Now(), got)
		}
		p.untilClock(8, 1)
		p.fills("r1", "fill_recyclable_pct", 30*time.Minute, repeat(5, 97)...)
		if got := p.shown("r1"); !strings.Contains(got, "RS-FULL:recyclable P3 new") {
			p.tb.Errorf("at %s shown %s", time.Now(), got)
		}
	}},
	{"WS-HAZ: nearly full, or a month", func(p *plant) {
		p.fills("s1", "fill_hazardous_pct", 10*time.Minute, 81, 82, 83)
		p.see("WS-HAZ:hazardous P4 new order")
		p.fills("s1", "fill_hazardous_pct", 10*time.Minute, 10)
		p.see("WS-HAZ:hazardous P4 closed order")
	}},
	{"WS-TEMP: seventy degrees", func(p *plant) {
		p.fills("s1", temp, 2*time.Minute, 60, 69)
		p.see("")
		p.reading("s1", `{"temp_c":70}`)
		p.see("WS-TEMP P1 new")
		p.fills("s1", temp, 10*time.Minute, 20, 20, 20, 20)
		p.see("WS-TEMP P1 new")
	}},
	{"WS-TEMP: eight degrees a minute", func(p *plant) {
		p.fills("s1", temp, 10*time.Second, 20, 21, 22, 23, 24, 25, 26, 27, 28)
		p.see("")
		p.fills("s1", temp, 10*time.Second, 29.5, 31, 32.5, 34, 36)
		p.see("WS-TEMP P1 new")
	}},
	{"WS-TEMP-NEAR: in the sun all are hot, in a fire one is", func(p *plant) {
		for _, d := range []string{"s2", "s3", "s4"} {
			p.reading(d, `{"temp_c":48}`)
		}
		p.fills("s1", temp, 70*time.Second, 50, 55, 60, 65, 68, 69)
		p.see("")
		for _, d := range []string{"s2", "s3", "s4"} {
			p.reading(d, `{"temp_c":30}`)
		}
		p.fills("s1", temp, 50*time.Second, 56)
		p.see("")
		p.pass(20 * time.Second)
		p.see("WS-TEMP-NEAR P1 new")
	}},
	{"WS-TEMP-NEAR: two neighbours are too few", func(p *plant) {
		for _, d := range []string{"s2", "s3"} {
			p.reading(d, `{"temp_c":20}`)
		}
		p.fills("s1", temp, 70*time.Second, 50, 55, 60)
		p.see("")
	}},
	{"WS-ODOR: worse than the worst of the week", func(p *plant) {
		for range 60 {
			p.fills("s1", "nh3_ppm", time.Hour, 3, 5.5, 4)
		}
		p.see("")
		p.fills("s1", "nh3_ppm", 9*time.Minute, 9, 9, 9)
		p.see("")
		p.fills("s1", "nh3_ppm", 10*time.Minute, 9)
		p.see("WS-ODOR:nh3 P4 new")
		p.fills("s1", "nh3_ppm", 10*time.Minute, 5, 3, 3)
		p.see("WS-ODOR:nh3 P4 new")
		p.fills("s1", "nh3_ppm", 11*time.Minute, 3)
		p.see("WS-ODOR:nh3 P4 recovered")
	}},
	{"SH-HEAT: sixty degrees for half a minute", func(p *plant) {
		p.reading("g1", `{"temp_c":61}`)
		p.pass(20 * time.Second)
		p.seeOf("g1", "")
		p.pass(20 * time.Second)
		p.seeOf("g1", "SH-HEAT P1 new")
	}},
	{"SH-HEAT: a moment of sixty degrees is none", func(p *plant) {
		p.fills("g1", temp, 20*time.Second, 61, 40)
		p.pass(time.Minute)
		p.seeOf("g1", "")
	}},
	{"SH-HEAT-RISE: ten degrees a minute", func(p *plant) {
		p.fills("g1", temp, 10*time.Second, 20, 22, 24, 26, 28, 30, 32)
		p.seeOf("g1", "SH-HEAT-RISE P1 new")
	}},
	{"SH-FIRE: smoke and heat of one device are one incident, confirmed", func(p *plant) {
		p.press("g1", `{"type":"smoke"}`)
		p.seeOf("g1", "SH-FIRE P1 new")
		p.reading("g1", `{"temp_c":65}`)
		p.pass(40 * time.Second)
		p.seeOf("g1", "SH-FIRE P1 new confirmed")
	}},
	{"SH-FIRE: a second detector of the same place confirms both", func(p *plant) {
		p.press("g1", `{"type":"smoke"}`)
		p.press("g1", `{"type":"heat"}`)
		p.seeOf("g1", "SH-FIRE P1 new")
		p.press("g2", `{"type":"smoke"}`)
		p.seeOf("g1", "SH-FIRE P1 new confirmed")
		p.seeOf("g2", "SH-FIRE P1 new confirmed")
	}},
	{"EB-POWER: ten minutes without mains, worse on a low battery", func(p *plant) {
		p.fills("b1", "mains", 4*time.Minute, 0, 0)
		p.seeOf("b1", "")
		p.fills("b1", "mains", 5*time.Minute, 0)
		p.seeOf("b1", "EB-POWER P3 new")
		for range 3 {
			p.reading("b1", `{"mains":0,"battery_pct":24}`)
			p.pass(5 * time.Minute)
		}
		p.seeOf("b1", "EB-POWER P2 new")
		p.fills("b1", "mains", 7*time.Minute, 1)
		p.seeOf("b1", "EB-POWER P2 recovered")
	}},
	{"EB-BATT-LOW: half a day of low readings", func(p *plant) {
		p.fills("b3", "battery_pct", 4*time.Hour, 19, 25, 19, 19, 18, 18)
		p.seeOf("b3", "")
		p.fills("b3", "battery_pct", 4*time.Hour, 18, 18, 17)
		p.seeOf("b3", "EB-BATT-LOW P3 new")
		p.fills("b3", "battery_pct", 4*time.Hour, 100, 100, 100)
		p.seeOf("b3", "EB-BATT-LOW P3 recovered")
	}},
}

// emptyThen empties a bin and lets it fill a little every half hour; the rule is quiet until quiet and shown at the end.
func (p *plant) emptyThen(device string, total time.Duration, payload string, quiet time.Duration, want string) {
	p.reading(device, fmt.Sprintf(payload, 60))
	p.pass(30 * time.Minute)
	for at := time.Duration(0); at < total; at += 30 * time.Minute {
		p.reading(device, fmt.Sprintf(payload, 5+int(at/(30*time.Minute))))
		p.pass(30 * time.Minute)
		if at+30*time.Minute == quiet {
			p.seeOf(device, "")
		}
	}
	p.seeOf(device, want)
}

// TestCatalogue plays every window rule's story from the lanes to the view.
func TestCatalogue(t *testing.T) {
	for _, c := range catalogue {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				streets(p)
				p.start()
				p.tick()
				c.play(p)
				if err := p.isFold(); err != nil {
					t.Error(err)
				}
				if err := p.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
