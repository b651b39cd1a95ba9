package ingest

import "time"

// A bridge may have hundreds of devices that are none of the hub's business. The maintainer is told of each now and then.
const (
	strangerEvery = 6 * time.Hour
	maxStrangers  = 4096 // beyond it all are forgotten, and told of again
)

// strangers remembers when dead letters told of addresses that nobody has registered: receive times in Unix ns.
type strangers map[string]int64

// tell reports whether a message of the address is worth a dead letter.
func (s *strangers) tell(address string, atNS int64) bool {
	if last, known := (*s)[address]; known && atNS-last < int64(strangerEvery) {
		return false
	}
	if *s == nil || len(*s) >= maxStrangers {
		*s = strangers{}
	}
	(*s)[address] = atNS
	return true
}
