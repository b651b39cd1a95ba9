package broker

import (
	"strings"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// route is what becomes of a topic that a connection publishes to.
type route struct {
	topic  string
	lane   laneID
	keep   bool            // status: its retained copy is kept
	reject string          // why it is not taken, "" = it is
	origin registry.Origin // of a known topic: tells what the sender is answered
	notice bool            // what a bridge says about its own connection: answered and forgotten

	stranger *registry.Origin // of an address of a bridge that nobody has registered, or in the payload: that decides about the lane
}

// laneOf is the lane of a message. A stranger has no place in life.db, unless it calls for help.
func (r *route) laneOf(payload []byte) laneID {
	if r.stranger == nil {
		return r.lane
	}
	if r.stranger.MayCall(payload) {
		return eventLane
	}
	return r.lane
}

// bridgeNotices is where Mosquitto's bridges say that they are connected, unless they are told not to (notifications).
const bridgeNotices = "$SYS/broker/connection/"

// maxRoutes bounds a connection's memory of topics; a gateway with more children than that asks the registry more often.
const maxRoutes = 512

// routeCache spares the registry and the garbage collector the same question for every message. Decisions hold for one revision
// of the directory.
type routeCache struct {
	revision uint64
	last     *route
	all      map[string]*route // more than one topic
}

// route decides about a topic, which is valid UTF-8.
func (c *conn) route(topic []byte) *route {
	rc := &c.routes
	if rev := c.b.directory.Revision(); rev != rc.revision {
		*rc = routeCache{revision: rev}
	}
	if rc.last != nil && rc.last.topic == string(topic) {
		return rc.last
	}
	r, ok := rc.all[string(topic)]
	if !ok {
		r = c.decide(string(topic))
		rc.remember(r)
	}
	rc.last = r
	return r
}

func (rc *routeCache) remember(r *route) {
	if rc.last == nil {
		return
	}
	if rc.all == nil || len(rc.all) >= maxRoutes {
		rc.all = map[string]*route{rc.last.topic: rc.last}
	}
	rc.all[r.topic] = r
}

// decide applies the access rules and the table of DESIGN 4. What a bridge may publish and no profile knows goes to telemetry, where
// it can neither fill life nor delay a call.
func (c *conn) decide(topic string) *route {
	r := &route{topic: topic, lane: telemetryLane}
	if !c.b.directory.MayPublish(c.who, topic) {
		r.reject, r.notice = rejectForeign, c.who.Kind == "" && strings.HasPrefix(topic, bridgeNotices)
		return r
	}
	o, err := c.b.directory.Locate(topic, c.who.ID)
	switch {
	case err != nil && c.who.Kind != "":
		r.reject = rejectUnknown
	case err != nil:
	case o.Foreign() && !o.Registered:
		r.stranger, r.origin = &o, o
	default:
		r.assign(o)
	}
	return r
}

// assign gives the messages of a known device their lane. Only wh/v1 has retained messages: a bridge repeats its own.
func (r *route) assign(o registry.Origin) {
	r.origin = o
	switch o.Topic.Channel {
	case telemetry.ChannelEvent:
		r.lane = eventLane
	case telemetry.ChannelStatus:
		r.lane, r.keep = stateLane, !o.Foreign()
	case telemetry.ChannelCommandAck:
		r.lane = stateLane
	case telemetry.ChannelCommand:
		r.reject = rejectCommand
	}
}
