package registry

// Person holds sealed personal fields; Masked is what a list may show ("王**", "138****1234"). Both are empty while the key
// is missing: they are derived on reading, so that not even they lie in the data folder.
type Person struct {
	ID          string `json:"id"`
	MaskedName  string `json:"masked_name"`
	MaskedPhone string `json:"masked_phone"`
}

// Personal are the fields that are sealed at rest.
type Personal struct {
	Name     string     `json:"name"`
	Phone    string     `json:"phone"`
	Address  string     `json:"address"`
	Note     string     `json:"note,omitempty"`
	Contacts []Relative `json:"contacts,omitempty"`
}

// Relative is family or a neighbour of a person, called in order.
type Relative struct {
	Name     string `json:"name"`
	Relation string `json:"relation"`
	Phone    string `json:"phone"`
}

// maskName keeps the first character, of a Chinese name the surname or its first half, and hides the length of the rest.
func maskName(name string) string {
	r := []rune(name)
	switch len(r) {
	case 0:
		return ""
	case 1:
		return "**"
	}
	return string(r[0]) + "**"
}

// maskPhone keeps of a number of 11 digits the first three and the last four, of a shorter one at most the last two.
func maskPhone(phone string) string {
	var digits []rune
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			digits = append(digits, r)
		}
	}
	switch n := len(digits); {
	case phone == "":
		return ""
	case n >= 11:
		return string(digits[:3]) + "****" + string(digits[n-4:])
	case n >= 7:
		return "****" + string(digits[n-2:])
	}
	return "****"
}
