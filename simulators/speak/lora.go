package speak

import (
	"fmt"
	"math"
)

// loraModels are what decoders make of the models' frames.
func loraModels(m mount) map[string]func(state) words {
	return map[string]func(state) words{
		"milesight-ws101":     ws101,
		"milesight-em310-udl": m.em310,
		"milesight-em400":     m.em400,
		"milesight-gs601":     new(gs601).words,
		"dragino-pb01":        pb01,
		"dragino-dds75":       m.dds75,
	}
}

// ws101 is a button. Its msgid is random and no identity.
func ws101(s state) words {
	if s.event == "sos" {
		return words{fields: map[string]any{"button_event": map[string]any{"status": "short press", "msgid": 4711}}}
	}
	return words{}.battery(s)
}

// battery is what every model tells of itself now and then.
func (w words) battery(s state) words {
	if s.event != "" {
		return w
	}
	return w.with("battery", s.values["battery_pct"], "battery_pct")
}

// with adds a field that is a number, and what the hub must call it.
func (w words) with(field string, value float64, metric string) words {
	if w.fields == nil {
		w = words{map[string]any{}, map[string]float64{}}
	}
	w.fields[field] = value
	w.means[metric] = value
	return w
}

func (m mount) em310(s state) words {
	switch s.event {
	case "tilt":
		return words{fields: map[string]any{"position": "tilt"}}
	case "":
		w := words{}.battery(s).with("distance", m.distance(s.values), "distance_mm")
		w.fields["position"] = "normal"
		return w
	}
	return words{}
}

func (m mount) em400(s state) words {
	w := m.em310(s)
	if s.event == "" {
		w = w.with("temperature", s.values["temp_c"], "temp_c")
	}
	return w
}

// gs601 is a detector for air; what burns is a temperature alarm that it takes back when it is over.
type gs601 struct{ burning bool }

func (g *gs601) words(s state) words {
	if s.event == "smoke" || s.event == "heat" {
		g.burning = true
		return words{fields: map[string]any{"temperature_alarm": map[string]any{"type": "burning alarm trigger", "value": 62.5}}}
	}
	if s.event != "" {
		return words{}
	}
	smoke := s.values["smoke_pct"]
	w := words{}.with("temperature", s.values["temp_c"], "temp_c").with("vaping_index", math.Round(smoke), "vaping_index").
		with("humidity", 58.5, "humidity_pct").with("pm1_0", math.Round(8+2*smoke), "pm1_ugm3").
		with("pm2_5", math.Round(12+4*smoke), "pm2_5_ugm3").with("pm10", math.Round(20+5*smoke), "pm10_ugm3").with("tvoc", 110, "tvoc_ugm3")
	w.fields["tamper_status"] = "normal"
	w.means["tamper"] = 0
	if g.burning && smoke < 5 {
		g.burning = false
		w.fields["temperature_alarm"] = map[string]any{"type": "burning alarm deactivation", "value": s.values["temp_c"]}
	}
	return w
}

// pb01 says in every message whether it was pressed, as a text.
func pb01(s state) words {
	switch s.event {
	case "sos":
		return words{fields: map[string]any{"Alarm": "TRUE", "Sound_key": "OPEN", "Sound_ACK": "CLOSE"}}
	case "":
		w := words{}.with("BatV", volts(s), "battery_v").with("TempC_SHT41", s.values["temp_c"], "temp_c").with("Hum_SHT41", 55, "humidity_pct")
		w.fields["Alarm"], w.fields["Sound_key"], w.fields["Sound_ACK"] = "FALSE", "OPEN", "CLOSE"
		return w
	}
	return words{}
}

// dds75 gives its temperature as a text.
func (m mount) dds75(s state) words {
	if s.event != "" {
		return words{}
	}
	w := words{}.with("Bat", volts(s), "battery_v").with("Distance", m.distance(s.values), "distance_mm")
	w.fields["Interrupt_flag"], w.fields["Sensor_flag"] = 0, 1
	w.fields["TempC_DS18B20"] = fmt.Sprintf("%.2f", s.values["temp_c"])
	w.means["temp_c"] = s.values["temp_c"]
	return w
}

// volts of a lithium cell; a device on mains has a full one.
func volts(s state) float64 {
	if v, ok := s.values["battery_v"]; ok {
		return v
	}
	return 3.6
}
