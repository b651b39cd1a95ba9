package stream_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"

	"watchhouse/dashboard/stream"
)

func TestDevicesAreSharedLatestValueAndChunked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c, other := b.open("anna"), b.open("bert")
		c.hello(0)
		other.hello(0)
		var many []stream.Update
		for i := range 600 {
			many = append(many, device(i, 1))
		}
		b.hub.Devices(many)
		var sizes []int
		for range 3 {
			sizes = append(sizes, len(other.until("dev").Dev))
		}
		if fmt.Sprint(sizes) != "[256 256 88]" {
			t.Errorf("frames of %v states", sizes)
		}
		// c has not read: it keeps the newest of each.
		b.hub.Devices([]stream.Update{device(599, 2)})
		b.hub.Devices([]stream.Update{device(599, 3), device(598, 3)})
		synctest.Wait()
		newest := map[int]int{}
		for len(newest) < 600 || newest[599] != 3 || newest[598] != 3 {
			for _, raw := range c.until("dev").Dev {
				var d struct{ ID, V int }
				if err := json.Unmarshal(raw, &d); err != nil {
					t.Fatal(err)
				}
				if d.V < newest[d.ID] {
					t.Fatalf("device %d went back from %d to %d", d.ID, newest[d.ID], d.V)
				}
				if d.V == 2 {
					t.Fatal("a superseded state was sent")
				}
				newest[d.ID] = d.V
			}
		}
	})
}

func device(id, v int) stream.Update {
	return stream.Update{ID: fmt.Sprint(id), JSON: json.RawMessage(fmt.Sprintf(`{"id":%d,"v":%d}`, id, v))}
}

func TestAlertPassesManyDevices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		var many []stream.Update
		for i := range 2560 {
			many = append(many, device(i, 1))
		}
		b.hub.Devices(many)
		synctest.Wait()
		b.ledger.Raise("a", 1)
		synctest.Wait()
		before := 0
		for f := c.next(); f.T != "b"; f = c.next() {
			before++
		}
		if before > 2 {
			t.Errorf("%d frames of devices went before the alert", before)
		}
	})
}

func TestResumingConsoleGetsAllDevices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		b.mu.Lock()
		b.devices = []stream.Update{device(1, 7), device(2, 7)}
		b.mu.Unlock()
		c := b.open("anna")
		c.hello(0)
		if n := len(c.until("dev").Dev); n != 2 {
			t.Errorf("%d devices, want 2", n)
		}
	})
}

func TestRemovedDeviceMakesEveryConsoleTakeASnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		b.hub.Resnapshot()
		if f := c.until("resync"); !f.Snapshot {
			t.Error("no snapshot asked for")
		}
	})
}
