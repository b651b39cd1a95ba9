package broker

import "watchhouse/telemetry"

// route is what becomes of a topic that a connection publishes to.
type route struct {
	topic  string
	lane   laneID
	keep   bool   // status: its retained copy is kept
	reject string // why it is not taken, "" = it is
}

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

// decide applies the access rules and the table of DESIGN 4. What a bridge may publish outside wh/v1 goes to telemetry, where
// it can neither fill life nor delay a call, until a profile knows it.
func (c *conn) decide(topic string) *route {
	r := &route{topic: topic, lane: telemetryLane}
	if !c.b.directory.MayPublish(c.who, topic) {
		r.reject = rejectForeign
		return r
	}
	t, err := telemetry.ParseTopic(topic)
	if err != nil {
		if c.who.Kind != "" {
			r.reject = rejectUnknown
		}
		return r
	}
	switch t.Channel {
	case telemetry.ChannelEvent:
		r.lane = eventLane
	case telemetry.ChannelStatus:
		r.lane, r.keep = stateLane, true
	case telemetry.ChannelCommandAck:
		r.lane = stateLane
	case telemetry.ChannelCommand:
		r.reject = rejectCommand
	}
	return r
}
