package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"watchhouse/telemetry"
)

// featureCollection is as much of RFC 7946 as areas need.
type featureCollection struct {
	Type     string          `json:"type"`
	CRS      json.RawMessage `json:"crs"`
	Features []feature       `json:"features"`
}

type feature struct {
	Type       string          `json:"type"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties struct {
		ID           any `json:"id"`
		Name         any `json:"name"`
		NameEN       any `json:"name_en"`
		AutoDispatch any `json:"auto_dispatch"`
	} `json:"properties"`
}

// ImportAreas reads a GeoJSON FeatureCollection in WGS-84: each feature an area, with the properties id and name, and perhaps
// name_en and auto_dispatch, and a Polygon or MultiPolygon, which is kept as the boundary. All or nothing; the error is
// FeatureErrors, every faulty feature. Areas that the file does not name stay.
func (r *Registry) ImportAreas(ctx context.Context, actor string, in io.Reader) (ImportReport, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxImportBytes+1))
	if err != nil {
		return ImportReport{}, fmt.Errorf("read GeoJSON: %w", err)
	}
	areas, faults := parseAreas(text)
	if len(faults) > 0 {
		return ImportReport{}, faults
	}
	var report ImportReport
	err = r.edit(ctx, actor, func(d *draft) error {
		report = ImportReport{}
		for _, a := range areas {
			report.count(d.importArea(a))
		}
		return nil
	})
	if err != nil {
		return ImportReport{}, err
	}
	return report, nil
}

// importArea puts an area of a file, if it is new or says something new.
func (d *draft) importArea(a Area) (added, changed bool) {
	before, known := d.next.Areas[a.ID]
	if a.AutoDispatch == "" {
		a.AutoDispatch = before.AutoDispatch
	}
	if known && a.Name == before.Name && a.NameEN == before.NameEN && a.AutoDispatch == before.AutoDispatch &&
		bytes.Equal(a.Boundary, before.Boundary) {
		return false, false
	}
	d.do(op{Op: opPutArea, Area: &a})
	return !known, known
}

func parseAreas(text []byte) ([]Area, FeatureErrors) {
	if len(text) > maxImportBytes {
		return nil, FeatureErrors{{Want: "at most " + strconv.Itoa(maxImportBytes) + " bytes", Got: "more"}}
	}
	var file featureCollection
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &file); err != nil {
		return nil, FeatureErrors{{Want: "GeoJSON", Got: describeJSON(err)}}
	}
	if file.Type != "FeatureCollection" {
		return nil, FeatureErrors{{Member: "type", Want: "FeatureCollection", Got: excerpt(file.Type)}}
	}
	if !wgs84(file.CRS) {
		return nil, FeatureErrors{{Member: "crs", Want: "none (WGS-84), CRS84, EPSG:4326 or EPSG:4490", Got: "another"}}
	}
	if len(file.Features) == 0 {
		return nil, FeatureErrors{{Member: "features", Want: "at least one", Got: "none"}}
	}
	p := areaParser{seen: map[string]int{}}
	for i, f := range file.Features {
		p.feature(i+1, f)
	}
	return p.areas, p.faults
}

// wgs84 reports whether the old "crs" member, if there is one, names WGS-84 or its Chinese equal.
func wgs84(crs json.RawMessage) bool {
	var member struct {
		Properties struct {
			Name any `json:"name"`
			Code any `json:"code"`
		} `json:"properties"`
	}
	if len(crs) == 0 || string(crs) == "null" {
		return true
	}
	if json.Unmarshal(crs, &member) != nil {
		return false
	}
	for _, name := range []any{member.Properties.Name, member.Properties.Code} {
		if name != nil && unshifted(fmt.Sprint(name)) {
			return true
		}
	}
	return false
}

func describeJSON(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return "text that is not JSON from byte " + strconv.FormatInt(syntax.Offset, 10)
	case errors.As(err, &kind):
		return "a " + kind.Value + " as " + kind.Field
	}
	return "something else"
}

// areaParser gathers the areas of a file and its faults.
type areaParser struct {
	areas  []Area
	seen   map[string]int
	faults FeatureErrors
}

func (p *areaParser) fault(n int, member, want, got string) {
	if len(p.faults) < maxListed {
		p.faults = append(p.faults, FeatureError{n, member, want, got})
	}
}

func (p *areaParser) feature(n int, f feature) {
	before := len(p.faults)
	if f.Type != "Feature" {
		p.fault(n, "type", "Feature", excerpt(f.Type))
	}
	a := Area{
		ID:           p.text(n, "id", f.Properties.ID),
		Name:         p.text(n, "name", f.Properties.Name),
		NameEN:       p.text(n, "name_en", f.Properties.NameEN),
		AutoDispatch: p.text(n, "auto_dispatch", f.Properties.AutoDispatch),
		Boundary:     p.boundary(n, f.Geometry),
	}
	if invalid, ok := errors.AsType[*InvalidError](checkArea(a)); ok {
		p.fault(n, "properties."+invalid.Field, invalid.Want, invalid.Got)
	}
	if first, twice := p.seen[a.ID]; twice && telemetry.ValidID(a.ID) {
		p.fault(n, "properties.id", "each id once", excerpt(a.ID)+" as in feature "+strconv.Itoa(first))
	}
	p.seen[a.ID] = n
	if len(p.faults) == before {
		p.areas = append(p.areas, a)
	}
}

func (p *areaParser) text(n int, name string, value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	}
	p.fault(n, "properties."+name, "a string", "another value")
	return ""
}

// boundary checks a geometry and gives it in compact form, its own members only.
func (p *areaParser) boundary(n int, raw json.RawMessage) json.RawMessage {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if len(raw) == 0 || string(raw) == "null" {
		p.fault(n, "geometry", "a Polygon or MultiPolygon", "none")
		return nil
	}
	if err := json.Unmarshal(raw, &g); err != nil || g.Type != "Polygon" && g.Type != "MultiPolygon" {
		p.fault(n, "geometry.type", "Polygon or MultiPolygon", excerpt(g.Type))
		return nil
	}
	if want := badPolygons(g.Type, g.Coordinates); want != "" {
		p.fault(n, "geometry.coordinates", want, "another value")
		return nil
	}
	text, err := json.Marshal(g)
	if err != nil {
		p.fault(n, "geometry", "GeoJSON", "another value")
		return nil
	}
	return text
}

// badPolygons says what the coordinates lack, "" when nothing.
func badPolygons(kind string, raw json.RawMessage) string {
	const want = "arrays of rings of [longitude, latitude]"
	var polygons [][][][]float64
	if kind == "MultiPolygon" {
		if json.Unmarshal(raw, &polygons) != nil {
			return want
		}
	} else {
		var polygon [][][]float64
		if json.Unmarshal(raw, &polygon) != nil {
			return want
		}
		polygons = append(polygons, polygon)
	}
	if len(polygons) == 0 || slices.ContainsFunc(polygons, func(p [][][]float64) bool { return len(p) == 0 }) {
		return want
	}
	for _, ring := range slices.Concat(polygons...) {
		if bad := badRing(ring); bad != "" {
			return bad
		}
	}
	return ""
}

func badRing(ring [][]float64) string {
	if len(ring) < 4 || !slices.Equal(ring[0], ring[len(ring)-1]) {
		return "rings of at least four positions that end where they begin"
	}
	for _, at := range ring {
		if len(at) < 2 || !inRange(at[0], 180) || !inRange(at[1], 90) {
			return "positions of longitude from -180 to 180 and latitude from -90 to 90"
		}
	}
	return ""
}
