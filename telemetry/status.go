package telemetry

const wantBool = "true or false"

// DecodeStatus decodes {"online":bool}.
func DecodeStatus(p []byte) (online bool, err error) {
	s, fault := openObject(p)
	if fault != nil {
		return false, fault
	}
	got, met := gotNothing, false
	known := false
	for first := true; ; first = false {
		key, v, more, fault := s.member(first)
		if fault != nil {
			return false, fault
		}
		if !more {
			break
		}
		if string(key) != "online" {
			continue
		}
		if met {
			return false, &FieldError{"online", wantBool, gotTwice}
		}
		met = true
		known = v.shape == isTrue || v.shape == isFalse
		online, got = v.shape == isTrue, v.shape.String()
	}
	if fault := s.close(); fault != nil {
		return false, fault
	}
	if !known {
		return false, &FieldError{"online", wantBool, got}
	}
	return online, nil
}
