package registry

import (
	"testing"

	"watchhouse/telemetry"
)

func BenchmarkLocate(b *testing.B) {
	r := openTest(b)
	if _, err := r.PutDevices(b.Context(), "t", []Device{
		{ID: "btn", Kind: telemetry.EmergencyButton}, {ID: "lora", Model: "milesight-ws101", Address: "24e124535b316056"},
	}, nil); err != nil {
		b.Fatal(err)
	}
	v := r.View()
	for name, topic := range map[string]string{
		"wire": "wh/v1/btn/telemetry", "profile": upOf + "24e124535b316056/event/up", "stranger": upOf + "0000000000000001/event/up",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Locate(topic, "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	o, _ := v.Locate(upOf+"24e124535b316056/event/up", "x")
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Read([]byte(pressBody)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
