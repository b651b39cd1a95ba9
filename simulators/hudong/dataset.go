package hudong

import (
	"math/rand/v2"

	"watchhouse/telemetry"
)

// Sizes of the example: what the control room is designed for.
const (
	Committees = 32
	Buttons    = 190
	Houses     = 42
	Gateways   = 8
	Sorting    = 91 // household-waste drop-off points
	Recycling  = 23 // recyclables points
	Garages    = 48 // for bicycles, in GarageCompounds
	// GarageCompounds is how many of the compounds have garages.
	GarageCompounds = 22

	// ExampleSeed made the files of examples/hudong.
	ExampleSeed = 20260701
)

// Point is a WGS-84 position in degrees.
type Point struct{ Lat, Lon float64 }

// Area is a residential committee with its border, a ring that is not closed (the first corner is not repeated).
type Area struct {
	ID, Name, NameEN string
	Border           []Point
	compounds        [2]string
}

// Person is an invented resident.
type Person struct{ ID, Name, Phone, Address string }

// Device is one row of devices.csv.
type Device struct {
	ID, Name, Area, Gateway, Model string
	Kind                           telemetry.Kind
	Power                          telemetry.Power
	At                             Point
	IntervalS                      int
	Address, Settings, Place       string  // Address: how a bridge names it
	Person                         *Person // who wears or owns it; nil for all but buttons
}

// Place is a site that devices belong to: one row of places.csv. Hours are its opening hours, "" = always open.
type Place struct {
	ID, Name, Area string
	At             Point
	Hours          string
}

// Contact is who gets orders and calls of a duty: one row of contacts.csv. No areas = all of them.
type Contact struct {
	ID, Duty    string
	Areas       []string
	Name, Phone string
}

// Dataset is a whole subdistrict. Devices are ordered gateways, houses, buttons, sorting points, recyclables points, garages, each by id.
type Dataset struct {
	Areas    []Area
	Devices  []Device
	Places   []Place
	Contacts []Contact
}

// generator carries the seeded source through the steps; their order is part of the format.
type generator struct {
	rng *rand.Rand
	out Dataset
}

// Generate makes the dataset of a seed.
func Generate(seed uint64) Dataset {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x5748))}
	g.areas()
	g.gateways()
	g.houses()
	g.buttons()
	g.sorting()
	g.recycling()
	g.garages()
	g.contacts()
	return g.out
}

// spread gives the area of the i-th of n things dealt out evenly over the committees.
func (g *generator) spread(i int) *Area { return &g.out.Areas[i%Committees] }
