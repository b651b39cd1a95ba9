package registry

import (
	"slices"
	"strconv"
	"strings"
)

const wantSomewhere = "both lat and lon, or neither; 0 is what becomes of an empty cell"

// nowhere reports whether a position is none: a coordinate of exactly 0 is an empty cell or a receiver without satellites. The 0,0 of
// the map lies in the sea.
func nowhere(lat, lon *float64) bool {
	return lat != nil && lon != nil && (*lat == 0 || *lon == 0)
}

// checkPosition checks coordinates in WGS-84 of a device or a place; bad makes the error.
func checkPosition(lat, lon *float64, bad func(field, want, got string) *InvalidError) *InvalidError {
	switch {
	case (lat == nil) != (lon == nil):
		return bad("lat", "lat and lon, or neither", "one of them")
	case lat == nil:
		return nil
	case !inRange(*lat, 90):
		return bad("lat", wantLat, formatDegrees(*lat))
	case !inRange(*lon, 180):
		return bad("lon", wantLon, formatDegrees(*lon))
	case nowhere(lat, lon):
		return bad("lat", wantSomewhere, formatDegrees(*lat)+", "+formatDegrees(*lon))
	}
	return nil
}

func formatDegrees(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// unshifted reports whether the name of a coordinate system, in one of its spellings, is that of WGS 84 or of CGCS2000, which differ
// by centimetres (EPSG 4326 and its three-dimensional 4979, OGC CRS84; EPSG 4490).
func unshifted(crs string) bool {
	name := strings.NewReplacer(" ", "", "-", "", "_", "", ":", "", "/", "", "(", "", ")", "").Replace(strings.ToLower(halfWidth(crs)))
	for _, prefix := range []string{"http", "www.", "urn", "ogcdefcrs", "opengis.netdefcrs", "ogc", "epsg", "1.3", "0"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return slices.Contains([]string{
		"wgs84", "wgs1984", "gcswgs1984", "worldgeodeticsystem1984", "4326", "4979", "crs84", "crs84h", "gps", "84", "wgs",
		"cgcs2000", "gcscgcs2000", "chinageodeticcoordinatesystem2000", "4490", "国家2000", "2000国家大地坐标系", "天地图",
	}, name)
}
