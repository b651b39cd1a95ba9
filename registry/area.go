package registry

import "encoding/json"

// Area is a residential committee (居委).
type Area struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	NameEN       string          `json:"name_en,omitempty"`
	AutoDispatch string          `json:"auto_dispatch,omitempty"` // on|suggest|off; empty = the hub's default
	Boundary     json.RawMessage `json:"boundary,omitempty"`      // GeoJSON Polygon or MultiPolygon in WGS-84
}

// validAutoDispatch reports whether s is one of the settings or unset.
func validAutoDispatch(s string) bool {
	return s == "" || s == "on" || s == "suggest" || s == "off"
}
