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
	Text     bool     `yaml:"text"`     // a payload that is no JSON is one word
	List     bool     `yaml:"list"`     // the payload may be an array of messages
	Body     string   `yaml:"body"`     // path of the object that the model explains, "" = the whole message
	OrWhole  bool     `yaml:"or_whole"` // without a body, the message itself is the body
	Bytes    string   `yaml:"bytes"`    // path of the device's own bytes in base64, used when there is no body, or one with nothing for the model
	Time     string   `yaml:"time"`     // path of the time
	TimeForm TimeForm `yaml:"time_form"`
	Identity []string `yaml:"identity"` // paths joined by +; each that is complete identifies the message
	Zero     []string `yaml:"zero"`     // paths of numbers that are left out when they are 0
	Fields   []Field  `yaml:"fields"`
}

// TimeForm is how a time is written.
type TimeForm string

// The forms of a time.
const (
	TimeRFC3339 TimeForm = "rfc3339"
	TimeUnixS   TimeForm = "unix_s"
	TimeUnixMS  TimeForm = "unix_ms"
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
	Rest     bool              `yaml:"rest"`  // every other number is a metric of its own name
	Bytes    []Chunk           `yaml:"bytes"` // the device's own encoding, for bridges that do not decode it
	Settings map[string]string `yaml:"settings"`
}

// Chunk is a part of the device's own bytes: channel and type, then a value. One without parts is stepped over.
type Chunk struct {
	Channel int    `yaml:"channel"`
	Type    int    `yaml:"type"`
	Size    int    `yaml:"size"` // of the value; 0 = what the parts take
	Parts   []Part `yaml:"parts"`
}

// Part is one number of a chunk, and the path at which the model's fields find it.
type Part struct {
	Path  string  `yaml:"path"`
	Form  string  `yaml:"form"`  // u8, i8, u16, i16, u32, i32: little-endian
	Scale float64 `yaml:"scale"` // 0 = 1
}

// Empty reports whether nothing is mapped.
func (s *ModelSpec) Empty() bool {
	return len(s.Fields) == 0 && !s.Rest && len(s.Bytes) == 0 && len(s.Settings) == 0
}
