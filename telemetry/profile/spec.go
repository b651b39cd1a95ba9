package profile

// Carries is what the messages of a topic hold.
type Carries string

// What a topic can carry.
const (
	CarriesModel   Carries = "model"   // a body that the device's model explains, beside the envelope's own fields
	CarriesFields  Carries = "fields"  // the envelope's own fields only
	CarriesStatus  Carries = "status"  // whether the device is online, in the envelope's own fields
	CarriesLife    Carries = "life"    // nothing but the news that the device lives
	CarriesBridge  Carries = "bridge"  // whether the bridge itself is there, in the envelope's own fields
	CarriesNothing Carries = "nothing" // nothing about a device
)

// Topic is an envelope as it is written.
type Topic struct {
	Pattern  string   `yaml:"topic"`
	Carries  Carries  `yaml:"carries"`
	Address  string   `yaml:"address"`  // path of the device's address, where the topic does not name it
	Devices  string   `yaml:"devices"`  // path of the parts of a message that speaks of several devices; all other paths are within a part
	Text     bool     `yaml:"text"`     // a payload that is no JSON is one word
	List     bool     `yaml:"list"`     // the payload may be an array of messages
	Body     string   `yaml:"body"`     // path of the object that the model explains, or several joined by +; "" = the whole message
	Event    string   `yaml:"event"`    // path of the name of an event that the message tells of, or of several
	OrWhole  bool     `yaml:"or_whole"` // without a body, the message itself is the body
	Bytes    string   `yaml:"bytes"`    // path of the device's own bytes in base64, used when the body does not say whether it is a call
	Port     string   `yaml:"port"`     // path of the port, by which some devices tell their frames apart
	Time     string   `yaml:"time"`     // path of the time
	TimeForm TimeForm `yaml:"time_form"`
	Identity []string `yaml:"identity"` // paths joined by +; each that is complete identifies the message
	Zero     []string `yaml:"zero"`     // paths of numbers that are left out when they are 0
	Pairs    *Pairs   `yaml:"pairs"`    // a list of names and values, which stands for the body
	Reply    *Reply   `yaml:"reply"`    // what the sender is told when the message is kept
	Fields   []Field  `yaml:"fields"`
}

// Pairs is a list of names and values, such as SenML's. It becomes the body; the first of the list stays at "first".
type Pairs struct {
	List  string `yaml:"list"` // path of the list, "" = the whole message
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// Reply is how a platform answers a report. In the topic, {topic} stands for that of the report; in the payload, {id} for the value at
// the path of id, as JSON.
type Reply struct {
	Topic   string            `yaml:"topic"`
	Levels  map[string]string `yaml:"levels"` // levels of the report's topic that are others in the reply's
	ID      string            `yaml:"id"`
	Payload string            `yaml:"payload"`
}

// TimeForm is how a time is written.
type TimeForm string

// The forms of a time.
const (
	TimeRFC3339 TimeForm = "rfc3339"
	TimeUnixS   TimeForm = "unix_s"
	TimeUnixMS  TimeForm = "unix_ms"
	TimeBasic   TimeForm = "basic" // 20261127T050000Z
)

// Field says what one value of a message means: exactly one of Metric, Fill, Event, Level and Online is set.
type Field struct {
	Path   string   `yaml:"path"`   // names joined by dots; name[] goes through an array; "" is the whole message, if it is one word
	Unless []string `yaml:"unless"` // paths of flags: if one is true, the field means nothing
	Ignore []string `yaml:"ignore"` // words that mean nothing

	Metric string             `yaml:"metric"` // its name
	Pick   string             `yaml:"pick"`   // of several values: max or min
	Scale  float64            `yaml:"scale"`  // 0 = 1
	Offset float64            `yaml:"offset"` // added after scaling
	Min    *float64           `yaml:"min"`    // of the number after scaling; beyond it, it is a fault
	Max    *float64           `yaml:"max"`
	Values map[string]float64 `yaml:"values"` // words that are numbers

	Fill bool `yaml:"fill"` // a distance, in mm after scaling, that says how full the container is

	Event     map[string]string `yaml:"event"`     // word to event type; "" = nothing; "*" = any word, and the word itself
	Ambiguous bool              `yaml:"ambiguous"` // means something else from other devices: no call unless the device is registered

	Level string   `yaml:"level"` // event type when it begins
	On    []string `yaml:"on"`    // words for on and off, instead of true and false
	Off   []string `yaml:"off"`

	Online bool `yaml:"online"`
}

// ModelSpec is the mapping of a model as it is written.
type ModelSpec struct {
	Fields   []Field           `yaml:"fields"`
	Rest     bool              `yaml:"rest"`   // every other number is a metric of its own name
	Bytes    []Chunk           `yaml:"bytes"`  // the device's own encoding, for bridges that do not decode it
	Frames   []Frame           `yaml:"frames"` // another such encoding: a layout for each port
	Settings map[string]string `yaml:"settings"`
}

// Chunk is a part of the device's own bytes: channel and type, or a channel alone, then a value. One without parts is stepped over.
type Chunk struct {
	Channel int    `yaml:"channel"`
	Type    *int   `yaml:"type"` // left out, the channel alone tells what follows
	Size    int    `yaml:"size"` // of the value; 0 = what the parts take
	Parts   []Part `yaml:"parts"`
}

// Frame is the layout of a message of one port. One without parts is known to hold nothing for the model.
type Frame struct {
	Port  int    `yaml:"port"`
	Size  int    `yaml:"size"` // 0 = what the parts take, or more
	Parts []Part `yaml:"parts"`
}

// Part is one number of the device's own bytes, and the path at which the model's fields find it; without a path it is stepped over.
type Part struct {
	Path  string   `yaml:"path"`
	Form  string   `yaml:"form"`  // u8, i8, u16, i16, u32, i32: little-endian; u16be, i16be: big-endian
	Mask  uint32   `yaml:"mask"`  // bits that belong to it, 0 = all
	Scale float64  `yaml:"scale"` // 0 = 1
	Value *float64 `yaml:"value"` // in place of a form: takes no bytes, says what the chunk means by being there
}

// Empty reports whether nothing is mapped.
func (s *ModelSpec) Empty() bool {
	return len(s.Fields) == 0 && !s.Rest && len(s.Bytes) == 0 && len(s.Frames) == 0 && len(s.Settings) == 0
}
