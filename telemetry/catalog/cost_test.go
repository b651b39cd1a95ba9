package catalog_test

import (
	"testing"

	"watchhouse/telemetry/catalog"
)

// Every message of a bridge is looked up by each reader of its lane, most of them while the lane is flooded.
func TestLookingUpATopicCostsLittle(t *testing.T) {
	c, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(100, func() {
		for m := range c.Matches("application/17c82e96/device/24E1241234560001/event/up") {
			if m.Profile.Key(m.Address) == "" {
				t.Fatal("no key")
			}
		}
	})
	if allocations > 4 {
		t.Errorf("%v allocations, want 4 at most", allocations)
	}
}
