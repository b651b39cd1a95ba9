package dashboard

import (
	"testing"

	"watchhouse/alerts"
)

// TestASilentOrderWaitsForNobody: it is open, but not among what has not been acknowledged, until it is late.
func TestASilentOrderWaitsForNobody(t *testing.T) {
	order := &alerts.Incident{State: alerts.StateNew, Priority: 4, Order: true}
	late := &alerts.Incident{State: alerts.StateNew, Priority: 3}
	for state, want := range map[string][2]bool{"open": {true, true}, "all": {true, true}, "new": {false, true}, "order": {true, false}} {
		in := &incidentsInput{State: state}
		if got := [2]bool{in.wants(order), in.wants(late)}; got != want {
			t.Errorf("state=%s lists the order and the late one: %v, want %v", state, got, want)
		}
	}
}
