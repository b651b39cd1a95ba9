package alerts

// eventEnv is what the raise expression of an event or flag rule may read.
type eventEnv struct {
	Kind       string `expr:"kind"`       // device kind in the registry, "" when unregistered
	Type       string `expr:"type"`       // event type, "" when unreadable
	Readable   bool   `expr:"readable"`   // the payload could be decoded
	Known      bool   `expr:"known"`      // the type is in the vocabulary of the kind
	Registered bool   `expr:"registered"` // the device is in the registry
	Fire       bool   `expr:"fire"`       // the device can tell of smoke or heat
}

// absenceEnv is what the expressions of an absence rule may read. Silence and stability run on the lanes' watermark, not on
// the wall clock, and exclude the time the hub itself was down.
type absenceEnv struct {
	Kind      string  `expr:"kind"`
	Mains     bool    `expr:"mains"`
	IntervalS float64 `expr:"interval_s"` // the device's report interval, seconds
	Beats     int     `expr:"beats"`      // messages since the last silence
	StableS   float64 `expr:"stable_s"`   // seconds since the first of them
	Connected bool    `expr:"connected"`  // of a bridge: it has a connection and has not said that it is gone; of devices false
}

// windowEnv is what the expressions of a window rule may read beside the functions of windowFunctions.
type windowEnv struct {
	Open      bool    `expr:"open"`       // the device's place is open; one without hours always is
	Mains     bool    `expr:"mains"`      // the device is not fed by a battery
	IntervalS float64 `expr:"interval_s"` // the device's report interval, seconds
	Frame     *frame  `expr:"frame"`      // what the functions read; the binder hands it to them
}
