package alerts

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// feed reads what the watch needs out of a lane, on the goroutine of the lane's reader: only messages of devices that a
// window rule covers are decoded.
type feed struct {
	lane  journal.LaneName
	spec  *watchSpec
	world func() world
	log   *slog.Logger
	list  []fed
}

// fed is what one message says.
type fed struct {
	device     string
	lane       journal.LaneName
	id         uint64 // in the lane
	pos        journal.Position
	receivedNS int64
	content    profile.Content
}

// take reads an entry. What of it cannot be read is ingest's and the engine's to report.
func (f *feed) take(e *journal.Entry) {
	defer contain(f.log, e.Device)
	if e.Kind != journal.Publish {
		return
	}
	o, err := f.world().Locate(e.Topic, e.Device)
	if err != nil {
		return
	}
	for part := range o.All(e.Payload) {
		f.part(e, part)
	}
}

// part reads what an entry says of one device.
func (f *feed) part(e *journal.Entry, o registry.Origin) {
	if !o.Registered || f.spec.kinds[o.Device.Kind] == nil || !live(*e, o.Topic) {
		return
	}
	if o.Topic.Channel != telemetry.ChannelTelemetry && o.Topic.Channel != telemetry.ChannelEvent {
		return
	}
	c, _ := contentOf(*e, &o)
	if len(c.Readings)+len(c.Events)+len(c.Levels) > 0 {
		f.list = append(f.list, fed{strings.Clone(o.Device.ID), f.lane, e.ID, e.Pos, e.ReceivedNS, c})
	}
}

// taken gives what was read since the last time.
func (f *feed) taken() []fed {
	list := f.list
	f.list = f.list[:0:0]
	return list
}

// contain ends a panic over one message: it must not stop all others. It is deferred.
func contain(log *slog.Logger, device string) {
	if p := recover(); p != nil {
		log.Error("window rules cannot judge a message", "device", device, "err", fmt.Sprintf("panicked: %v\n%s", p, debug.Stack()))
	}
}
