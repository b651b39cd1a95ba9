package journal

// LaneName names one of the three lanes of inbound messages.
type LaneName string

// The lanes. Event and State live in life.db, Telemetry in bulk.db.
const (
	EventLane     LaneName = "event"     // may need a person now
	StateLane     LaneName = "state"     // status, sessions, command acks
	TelemetryLane LaneName = "telemetry" // measurements
)

// Kind tells what a record of a lane is.
type Kind uint8

// Record kinds.
const (
	Publish    Kind = 1 // an MQTT PUBLISH as received
	Will       Kind = 2 // a last will sent by the broker for a lost client
	Connect    Kind = 3 // a client's session began; Payload is JSON {"protocol":5,"remote":"…","clean":true}
	Disconnect Kind = 4 // a client's session ended; Payload is JSON {"reason":"…"}
	HubStart   Kind = 5 // the hub began; absence rules are blind for a while
	Tick       Kind = 6 // an idle lane's watermark, once a second
)

// String gives the kind's word in listings.
func (k Kind) String() string {
	switch k {
	case Publish:
		return "publish"
	case Will:
		return "will"
	case Connect:
		return "connect"
	case Disconnect:
		return "disconnect"
	case HubStart:
		return "hub_start"
	case Tick:
		return "tick"
	default:
		return "unknown"
	}
}

// Message is the envelope of one inbound message; the payload is raw.
type Message struct {
	Kind       Kind
	ReceivedNS int64 // Unix ns, the hub's clock
	Client     string
	Device     string // authenticated identity (username)
	Topic      string
	QoS        byte
	Retain     bool
	Dup        bool
	Conn       uint64 // connection number, unique for the life of the process
	Payload    []byte
	Cut        int  // length of the payload as sent, of which Payload is the beginning; 0 = it is whole
	Many       bool // of Submit, not stored: the sender speaks for many devices and may hold more
}

// Entry is a stored message. ID is its number in the lane, from 1, without holes. Readers share entries: Payload must not
// be changed.
type Entry struct {
	Message
	ID   uint64
	Pos  Position // of this entry
	Next Position // of the one after it
}

// Receipt tells where a committed message stands.
type Receipt struct {
	ID  uint64
	Pos Position
}
