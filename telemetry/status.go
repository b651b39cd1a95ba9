package telemetry

import "watchhouse/telemetry/scan"

const wantBool = "true or false"

// DecodeStatus decodes {"online":bool}.
func DecodeStatus(p []byte) (online bool, err error) {
	s, fault := openObject(p)
	if fault != nil {
		return false, fault
	}
	var found []scan.Shape
	for {
		name, v, more, fault := s.Member()
		if fault != nil {
			return false, fault
		}
		if !more {
			break
		}
		if string(name) == "online" {
			found = append(found, v.Shape)
		}
	}
	return onlineOf(found)
}

func onlineOf(found []scan.Shape) (bool, error) {
	switch {
	case len(found) == 0:
		return false, fault("online", wantBool, gotNothing)
	case len(found) > 1:
		return false, fault("online", wantBool, gotTwice)
	case found[0] == scan.True, found[0] == scan.False:
		return found[0] == scan.True, nil
	}
	return false, fault("online", wantBool, found[0].String())
}
