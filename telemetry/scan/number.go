package scan

// validNumber reports whether raw is a number by the grammar of JSON.
func validNumber(raw []byte) bool {
	i := 0
	if i < len(raw) && raw[i] == '-' {
		i++
	}
	whole := digits(raw[i:])
	if whole == 0 || whole > 1 && raw[i] == '0' {
		return false
	}
	i += whole
	if i < len(raw) && raw[i] == '.' {
		n := digits(raw[i+1:])
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	return i == len(raw) || validExponent(raw[i:])
}

func validExponent(raw []byte) bool {
	if raw[0]|0x20 != 'e' {
		return false
	}
	raw = raw[1:]
	if len(raw) > 0 && (raw[0] == '-' || raw[0] == '+') {
		raw = raw[1:]
	}
	return len(raw) > 0 && digits(raw) == len(raw)
}

// digits counts the digits that raw begins with.
func digits(raw []byte) int {
	n := 0
	for n < len(raw) && digit(raw[n]) {
		n++
	}
	return n
}
