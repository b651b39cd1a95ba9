package hudong

import (
	"fmt"

	"watchhouse/telemetry"
)

// Opening hours: waste is taken in two windows a day, recyclables in the day, garages never close.
const (
	sortingHours   = "06:30-09:00;18:00-20:30"
	recyclingHours = "08:30-11:30;13:00-17:30"
	garageHours    = ""
)

// compounds is how many there are: two of each committee.
const compounds = 2 * Committees

// sorting points stand in every compound, in some there are two.
func (g *generator) sorting() {
	for i := range Sorting {
		name, area := g.compound(i)
		d := Device{ID: fmt.Sprintf("sp-%02d", i+1), Kind: telemetry.SortingPoint, Name: fmt.Sprintf("%s%d号投放点", name, i/compounds+1)}
		g.wire(&d, area, "sim-point")
		d.Settings = fmt.Sprintf("wet=%d;dry=%d;recyclable=1;hazardous=1", 2+g.rng.IntN(3), 2+g.rng.IntN(3))
		g.site(d, area, sortingHours)
	}
}

// recycling points have mains for their scales; every fourth has a fill sensor from a shop instead.
func (g *generator) recycling() {
	for i := range Recycling {
		name, area := g.compound(25 * i)
		d := Device{
			ID: fmt.Sprintf("rp-%02d", i+1), Kind: telemetry.RecyclablesPoint, Name: name + "可回收物服务点",
			Power: "mains", IntervalS: pointS, Model: "sim-recyclables-4g",
		}
		if i%4 == 1 {
			d.bought("milesight-em310-udl", "battery", fmt.Sprintf("24e124713d%06x", i+1))
			d.Settings = "empty_mm=1400;full_mm=250"
		}
		g.site(d, area, recyclingHours)
	}
}

// garages stand by twos in 18 of the compounds and by threes in four. Every sixth has a detector from a shop.
func (g *generator) garages() {
	for i := range Garages {
		name, area := g.compound(i % GarageCompounds * 3)
		d := Device{ID: fmt.Sprintf("garage-%02d", i+1), Kind: telemetry.Garage, Name: fmt.Sprintf("%s%d号非机动车库", name, i/GarageCompounds+1)}
		g.wire(&d, area, "sim-garage")
		switch i % 12 {
		case 5:
			d.bought("milesight-gs601", "mains", fmt.Sprintf("24e124798d%06x", i+1))
		case 11:
			d.bought("zigbee-smoke", "battery", d.ID+"/smoke")
		}
		g.site(d, area, garageHours)
	}
}

// compound gives the name of the i-th compound and the number of its committee; the first ones of all committees come first.
func (g *generator) compound(i int) (name string, area int) {
	i %= compounds
	return g.out.Areas[i%Committees].compounds[i/Committees], i % Committees
}

// wire decides how a point or garage is powered and connected: half of those that a gateway reaches have a battery and speak through it,
// the others have mains and a connection of their own.
func (g *generator) wire(d *Device, area int, model string) {
	if reached(area) && g.rng.IntN(2) == 0 {
		d.Gateway, d.Power, d.IntervalS, d.Model = gatewayID(area*Gateways/Committees), "battery", batteryPointS, model+"-lora"
		return
	}
	d.Power, d.IntervalS, d.Model = "mains", pointS, model+"-4g"
}

// bought makes a device one of a model that comes through a bridge, which knows it by an address.
func (d *Device) bought(model string, power telemetry.Power, address string) {
	d.Model, d.Power, d.Address, d.Gateway, d.IntervalS = model, power, address, "", batteryPointS
}

// site adds a device and the place that it stands at.
func (g *generator) site(d Device, area int, hours string) {
	a := &g.out.Areas[area]
	d.Area, d.At, d.Place = a.ID, within(g.rng, a.Border), "site-"+d.ID
	g.out.Devices = append(g.out.Devices, d)
	g.out.Places = append(g.out.Places, Place{ID: d.Place, Name: d.Name, Area: d.Area, At: d.At, Hours: hours})
}
