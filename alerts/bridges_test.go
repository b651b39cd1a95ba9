package alerts

import (
	"testing"
	"time"

	"watchhouse/journal"
)

// session adds the record of a connection.
func (p *plant) session(kind journal.Kind, account string, conn uint64) {
	p.state.add(journal.Message{Kind: kind, ReceivedNS: time.Now().UnixNano(), Client: account, Device: account, Conn: conn})
}

// says has a bridge publish.
func (p *plant) says(bridge, topic, payload string) { p.tele.add(publish(topic, bridge, payload)) }

// withBridge begins with a bridge that is connected and has spoken.
func withBridge(t *testing.T, do func(t *testing.T, p *plant)) {
	t.Helper()
	inBubble(t, func(t *testing.T, p *plant) {
		p.world.bridges = []string{"br"}
		p.start()
		p.session(journal.Connect, "br", 1)
		p.says("br", "zigbee2mqtt/bridge/state", `{"state":"online"}`)
		p.beatFor(10*time.Second, normal())
		defer func() {
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		}()
		do(t, p)
	})
}

// A bridge whose connection is lost is missed like a gateway, and comes back by itself when it is connected again for a minute.
func TestABridgeThatIsGoneIsMissed(t *testing.T) {
	for name, end := range map[string]func(p *plant){
		"its connection is lost": func(p *plant) { p.session(journal.Disconnect, "br", 1) },
		"it says that it is gone": func(p *plant) { // through another broker, whose connection stands
			p.says("br", "zigbee2mqtt/bridge/state", `{"state":"offline"}`)
		},
		"old form":         func(p *plant) { p.says("br", "zigbee2mqtt/bridge/state", "offline") },
		"the hub restarts": func(p *plant) { p.hubStart() },
		"only one stays out": func(p *plant) {
			p.session(journal.Connect, "br", 2)
			p.session(journal.Disconnect, "br", 1)
			p.session(journal.Disconnect, "br", 2)
		},
		"its will": func(p *plant) {
			p.state.add(journal.Message{
				Kind: journal.Will, ReceivedNS: time.Now().UnixNano(), Device: "br", Topic: "zigbee2mqtt/bridge/state", Payload: []byte("offline"),
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			withBridge(t, func(t *testing.T, p *plant) {
				p.beatFor(3*time.Hour, normal()) // quiet, but there
				if n := len(p.live("br")); n != 0 {
					t.Fatalf("%d incidents of a bridge that is connected", n)
				}
				end(p)
				p.beatFor(14*time.Minute, normal())
				if n := len(p.live("br")); n != 0 {
					t.Fatalf("%d incidents after 14 minutes", n)
				}
				p.beatFor(80*time.Second, normal())
				i := p.only("br")
				if i.Rule != "BR-OFFLINE" || i.Priority != 3 || !i.Active || i.State != StateNew {
					t.Fatalf("%+v", i)
				}
				p.session(journal.Connect, "br", 3)
				p.says("br", "zigbee2mqtt/bridge/state", `{"state":"online"}`)
				p.beatFor(80*time.Second, normal())
				if i = p.only("br"); i.Active || i.State != StateRecovered {
					t.Errorf("connected again: %+v", i)
				}
			})
		})
	}
}

// A connection that stands and says nothing for hours is missed too.
func TestABridgeThatSaysNothingIsMissed(t *testing.T) {
	withBridge(t, func(t *testing.T, p *plant) {
		p.beatFor(5*time.Hour+58*time.Minute, normal())
		if n := len(p.live("br")); n != 0 {
			t.Fatalf("%d incidents already", n)
		}
		p.beatFor(3*time.Minute, normal())
		if i := p.only("br"); i.Rule != "BR-OFFLINE" {
			t.Fatalf("%+v", i)
		}
		p.says("br", "zigbee2mqtt/bed-9", `{}`)
		p.beatFor(80*time.Second, normal())
		if i := p.only("br"); i.Active {
			t.Errorf("it speaks again: %+v", i)
		}
	})
}

// A short absence is none, a takeover neither; an account that is deleted, or may publish no more, is nobody's to miss.
func TestABridgeThatIsBackSoonIsNotMissed(t *testing.T) {
	withBridge(t, func(t *testing.T, p *plant) {
		for n := range uint64(10) {
			p.session(journal.Connect, "br", n+2)
			p.session(journal.Disconnect, "br", n+1)
			p.beatFor(10*time.Minute, normal())
			p.says("br", "zigbee2mqtt/bridge/state", `{"state":"offline"}`)
			p.beatFor(10*time.Minute, normal())
			p.says("br", "zigbee2mqtt/bridge/state", `{"state":"online"}`)
		}
		if n := len(p.live("br")); n != 0 {
			t.Fatalf("%d incidents", n)
		}
		p.session(journal.Disconnect, "br", 11)
		p.beatFor(16*time.Minute, normal())
		if i := p.only("br"); !i.Active {
			t.Fatalf("%+v", i)
		}
		p.edit(func(*fakeWorld) {}) // without it
		p.beatFor(2*time.Minute, normal())
		if i := p.only("br"); i.Active {
			t.Errorf("still missed: %+v", i)
		}
	})
}

// What is known of connections is written down with the rest and survives a crash.
func TestACrashForgetsNoConnection(t *testing.T) {
	withBridge(t, func(t *testing.T, p *plant) {
		p.beatFor(p.cfg.SnapshotInterval+time.Minute, normal())
		p.kill()
		p.start()
		p.beatFor(3*time.Hour, normal())
		if n := len(p.live("br")); n != 0 {
			t.Fatalf("%d incidents of a bridge that is connected", n)
		}
	})
}
