package device

import (
	"math"
	"math/rand/v2"
	"time"

	"watchhouse/telemetry"
)

// body is the physical side of a device.
type body struct {
	kind    telemetry.Kind
	power   telemetry.Power
	battery float64 // per cent
	radio   float64 // usual signal, dBm
	warmth  float64 // °C above the place's usual
	frozen  map[string]float64
	drift   float64
}

func newBody(spec Spec, rng *rand.Rand) body {
	b := body{kind: spec.Kind, power: spec.Power, battery: 100, radio: -62 - 45*rng.Float64(), warmth: 4*rng.Float64() - 2}
	if spec.Power == "battery" {
		b.battery = 35 + 65*rng.Float64()
	}
	return b
}

// drainPerBeat is a five-year battery at a beat every four hours, in per cent.
const drainPerBeat = 100.0 / (5 * 365 * 6)

// age uses the battery up by one heartbeat. With the drain fault it is empty after a handful.
func (b *body) age(f Faults) {
	if b.power == "battery" || f.Drain {
		b.battery -= drainPerBeat
	}
	if f.Drain {
		b.battery -= 0.4
	}
	b.battery = max(0, b.battery)
	if !f.Stuck {
		b.frozen = nil
	} else if b.frozen == nil {
		b.frozen = map[string]float64{}
	}
	if f.Drift != 0 {
		b.drift += f.Drift
	} else {
		b.drift = 0
	}
}

func (b *body) dead() bool { return b.battery <= 0 }

// metrics are what a heartbeat reports; a stuck device repeats the first values for ever.
func (b *body) metrics(now time.Time, rng *rand.Rand) map[string]float64 {
	if len(b.frozen) > 0 {
		return b.frozen
	}
	m := map[string]float64{
		"battery_pct": math.Round(b.battery),
		"rssi_dbm":    math.Round(b.radio + 3*rng.NormFloat64()),
		"temp_c":      round1(b.temperature(now) + 0.3*rng.NormFloat64() + b.drift),
	}
	if b.power == "battery" {
		m["battery_v"] = math.Round((2.4+1.2*b.battery/100)*100) / 100
	} else {
		m["mains"] = 1
	}
	if b.frozen != nil {
		b.frozen = m
	}
	return m
}

// temperature follows the day: coldest at five in the morning, warmest at three in the afternoon; flats less than gatehouses and roofs.
func (b *body) temperature(now time.Time) float64 {
	local := now.In(shanghai())
	hour := float64(local.Hour()) + float64(local.Minute())/60
	swing := map[telemetry.Kind]float64{telemetry.EmergencyButton: 1.5, telemetry.Gateway: 6}[b.kind]
	if swing == 0 {
		swing = 3.5
	}
	return 21 + b.warmth + swing*math.Sin((hour-10)/24*2*math.Pi)
}

// shanghai has had no daylight saving time since 1991; a fixed zone needs no zone files.
func shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

func round1(x float64) float64 { return math.Round(x*10) / 10 }
