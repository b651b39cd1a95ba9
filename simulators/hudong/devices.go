package hudong

import (
	"fmt"

	"watchhouse/telemetry"
)

// Report intervals in seconds, those of the wire contract.
const (
	mainsButtonS   = 300
	batteryButtonS = 14400
	houseS         = 30
	gatewayS       = 300
	pointS         = 300
	batteryPointS  = 900
)

func (g *generator) areas() {
	grid := corners(g.rng)
	for i := range Committees {
		r, c := i/columns, i%columns
		name := committeeNames[i]
		g.out.Areas = append(g.out.Areas, Area{
			ID:        fmt.Sprintf("area-%02d", i+1),
			Name:      name[0] + "居委会",
			NameEN:    name[1] + " Committee",
			Border:    []Point{grid[r][c], grid[r][c+1], grid[r+1][c+1], grid[r+1][c]},
			compounds: [2]string{name[0] + "一村", name[0] + "苑"},
		})
	}
}

// gateways stand in every fourth committee and serve the battery buttons of two.
func (g *generator) gateways() {
	for i := range Gateways {
		a := &g.out.Areas[i*Committees/Gateways]
		g.out.Devices = append(g.out.Devices, Device{
			ID: gatewayID(i), Kind: telemetry.Gateway, Name: a.compounds[0] + "屋顶网关", Area: a.ID, Power: "mains",
			At: within(g.rng, a.Border), IntervalS: gatewayS, Model: "sim-gateway-1",
		})
	}
}

func (g *generator) houses() {
	for i := range Houses {
		a := g.spread(i)
		gate := []string{"东门", "西门"}[i/Committees]
		g.out.Devices = append(g.out.Devices, Device{
			ID: fmt.Sprintf("house-%02d", i+1), Kind: telemetry.SafetyHouse, Name: a.compounds[i/Committees] + gate + "平安屋", Area: a.ID,
			Power: "mains", At: within(g.rng, a.Border), IntervalS: houseS, Model: "sim-house-1",
		})
	}
}

func (g *generator) buttons() {
	for i := range Buttons {
		a := g.spread(i)
		place := flat(g.rng, a)
		d := Device{
			ID: fmt.Sprintf("btn-%04d", i+1), Kind: telemetry.EmergencyButton, Name: place, Area: a.ID,
			At: within(g.rng, a.Border), Person: newPerson(g.rng, i+1, place),
		}
		g.feed(&d, i)
		g.out.Devices = append(g.out.Devices, d)
	}
}

// feed decides how a button is powered and connected: behind a gateway and on a battery in half of the committees (a gateway reaches two),
// elsewhere on the mains with a connection of its own, every seventh on a battery.
func (g *generator) feed(d *Device, i int) {
	area := i % Committees
	switch {
	case reached(area):
		d.Gateway, d.Power, d.IntervalS, d.Model = gatewayID(area*Gateways/Committees), "battery", batteryButtonS, "sim-button-lora"
	case i%7 == 0:
		d.Power, d.IntervalS, d.Model = "battery", batteryButtonS, "sim-button-nb"
	default:
		d.Power, d.IntervalS, d.Model = "mains", mainsButtonS, "sim-button-4g"
	}
}

// reached reports whether a gateway stands near enough to the committee of that number.
func reached(area int) bool { return area%(Committees/Gateways) < 2 }

func gatewayID(i int) string { return fmt.Sprintf("gw-%02d", i+1) }
