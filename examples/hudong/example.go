package hudong

import _ "embed"

// Devices is the registry's CSV without secrets; Areas the committees as GeoJSON in WGS-84; Places and Contacts are CSV.
var (
	//go:embed devices.csv
	Devices []byte
	//go:embed areas.geojson
	Areas []byte
	//go:embed places.csv
	Places []byte
	//go:embed contacts.csv
	Contacts []byte
)
