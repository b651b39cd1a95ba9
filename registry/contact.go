package registry

import (
	"slices"
)

// Duties of a contact.
const (
	DutySanitation = "sanitation" // 环卫: full bins, bags on the ground
	DutyTech       = "tech"       // 维修: devices and sensors
	DutyFire       = "fire"       // 消防
	DutyOffice     = "duty"       // 值班: everything else
)

// Duties lists the duties of contacts.
func Duties() []string { return []string{DutySanitation, DutyTech, DutyFire, DutyOffice} }

// Contact is who gets the orders of a duty: a person or a team with a telephone, sealed, and perhaps a webhook. The masked
// fields are derived on reading; what a caller sets there is ignored.
type Contact struct {
	ID          string   `json:"id"`
	Duty        string   `json:"duty"`
	Areas       []string `json:"areas,omitempty"`   // Area.ID; none = everywhere
	Webhook     string   `json:"webhook,omitempty"` // http or https URL that orders are posted to
	MaskedName  string   `json:"-"`
	MaskedPhone string   `json:"-"`
}

// Equal compares what the registry says of two contacts, but for the sealed fields.
func (c Contact) Equal(o Contact) bool {
	return c.ID == o.ID && c.Duty == o.Duty && c.Webhook == o.Webhook && slices.Equal(c.Areas, o.Areas)
}

// Reach are the fields of a contact that are sealed at rest.
type Reach struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
}

// contactRecord is a contact as it is kept.
type contactRecord struct {
	Contact
	Sealed sealed `json:"sealed"`
}
