package live

import (
	"testing"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// The end of a session of a device that nobody can stand behind concerns no other device: when thousands end in one moment, each looks at
// itself only. A device that must not be looked at is stood in for by nil.
func TestAnEndOfADeviceLooksAtNoOther(t *testing.T) {
	for kind, looks := range map[telemetry.Kind]bool{
		telemetry.SafetyHouse: false, telemetry.EmergencyButton: false, telemetry.Gateway: true, telemetry.Bridge: true,
	} {
		ended := &device{static: DeviceState{ID: "ended", Kind: kind}, online: new(true), conns: map[uint64]struct{}{1: {}}}
		p := &Projection{devices: map[string]*device{"ended": ended, "other": nil}}
		looked := func() (looked bool) {
			defer func() { looked = recover() != nil }()
			p.disconnect(&journal.Entry{Message: journal.Message{Device: "ended", Conn: 1}})
			return false
		}()
		if looked != looks || ended.online == nil || *ended.online {
			t.Errorf("%s: looked at others: %v, want %v; online %v", kind, looked, looks, ended.online)
		}
	}
}
