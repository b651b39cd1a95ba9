package registry

import (
	"math"
	"strconv"
	"strings"
	"time"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// cellReader reads the cells of one row into a device. A column that the file lacks leaves its field alone; an empty cell
// clears it.
type cellReader struct {
	row          csvRow
	catalog      *catalog.Catalog
	file         *csvReader
	faultsBefore int
}

func (c *cellReader) clean() bool { return len(c.file.faults) == c.faultsBefore }

func (c *cellReader) bad(column, want, got string) {
	c.file.fault(c.row.line, column, want, excerpt(got))
}

func (c *cellReader) fill(d *Device) {
	c.text(colName, &d.Name)
	c.text(colModel, &d.Model)
	c.text(colAddress, &d.Address)
	c.text(colSettings, &d.Settings)
	c.id(colPlace, &d.Place)
	c.id(colArea, &d.Area)
	c.id(colGateway, &d.Gateway)
	c.id(colPerson, &d.Person)
	c.power(d)
	c.kind(d)
	c.interval(d)
	c.outOfService(d)
	c.position(&d.Lat, &d.Lon)
}

// kind reads the kind, which may be that of the model, whose cell has been read before.
func (c *cellReader) kind(d *Device) {
	s, _ := c.row.cell(colKind)
	d.Kind = kindNamed(c.catalog, s)
	*d = d.fromModel(c.catalog)
	if !d.Kind.Valid() || misspelt(c.catalog, d.Kind) != "" || d.otherKind(c.catalog) {
		c.bad(colKind, wantKindOf(c.catalog, *d), s)
	}
}

func (c *cellReader) text(column string, field *string) {
	if s, ok := c.row.cell(column); ok {
		*field = cleanCell(unguard(s))
		if !validText(*field) {
			c.bad(column, wantLine, s)
		}
	}
}

func (c *cellReader) id(column string, field *string) {
	if s, ok := c.row.cell(column); ok {
		*field = s
		if s != "" && !telemetry.ValidID(s) {
			c.bad(column, wantID, s)
		}
	}
}

func (c *cellReader) power(d *Device) {
	if s, ok := c.row.cell(colPower); ok {
		d.Power = powerNamed(s)
		if !d.Power.Valid() {
			c.bad(colPower, wantPower, s)
		}
	}
}

func (c *cellReader) interval(d *Device) {
	s, ok := c.row.cell(colInterval)
	if !ok {
		return
	}
	d.ReportInterval = 0
	if s == "" {
		return
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > int64(maxInterval/time.Second) {
		c.bad(colInterval, wantInterval, s)
		return
	}
	d.ReportInterval = time.Duration(n) * time.Second
}

func (c *cellReader) outOfService(d *Device) {
	s, ok := c.row.cell(colOutOfService)
	if !ok {
		return
	}
	yes, sound := yesOrNo(s)
	if !sound {
		c.bad(colOutOfService, "true, false (是, 否) or nothing", s)
	}
	d.OutOfService = yes
}

// position reads coordinates. GCJ-02, the shifted grid of Chinese web maps, is refused rather than taken for WGS-84: the shift
// is larger than the 200 metres that a safety house answers for.
func (c *cellReader) position(toLat, toLon **float64) {
	if crs, _ := c.row.cell(colCRS); crs != "" && !unshifted(crs) {
		c.bad(colCRS, "wgs84 or cgcs2000 (convert gcj02 and bd09 first: they are shifted by hundreds of metres)", crs)
	}
	lat, hasLat := c.row.cell(colLat)
	lon, hasLon := c.row.cell(colLon)
	if !hasLat && !hasLon {
		return
	}
	if (lat == "") != (lon == "") {
		column := colLat
		if lat != "" {
			column = colLon
		}
		c.bad(column, "both lat and lon, or neither", "")
		return
	}
	*toLat = c.degrees(colLat, lat, wantLat, 90)
	*toLon = c.degrees(colLon, lon, wantLon, 180)
	if nowhere(*toLat, *toLon) {
		c.bad(colLat, wantSomewhere, lat+", "+lon)
	}
}

func (c *cellReader) degrees(column, s, want string, limit float64) *float64 {
	if s == "" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || !inRange(f, limit) || strings.ContainsAny(s, "xX_") {
		c.bad(column, want, s)
		return nil
	}
	return &f
}
