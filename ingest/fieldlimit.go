package ingest

import "slices"

// maxFieldsPerDevice bounds the columns that one device can make in the database, from one start of the hub to the next.
// The richest device known, a sorting point with all sensors, has about twenty.
const maxFieldsPerDevice = 128

// fieldLimit remembers which metrics each device has sent. Names are stored once, a device costs two bytes per name.
type fieldLimit struct {
	names   map[string]uint16
	devices map[string][]uint16
}

func newFieldLimit() *fieldLimit {
	return &fieldLimit{names: map[string]uint16{}, devices: map[string][]uint16{}}
}

// admit reports whether the device may have a field of that name.
func (f *fieldLimit) admit(device, name string) bool {
	id, known := f.names[name]
	had := f.devices[device]
	if known && slices.Contains(had, id) {
		return true
	}
	if len(had) >= maxFieldsPerDevice {
		return false
	}
	if !known {
		if len(f.names) > int(^uint16(0)) {
			return false
		}
		id = uint16(len(f.names))
		f.names[name] = id
	}
	f.devices[device] = append(had, id)
	return true
}
