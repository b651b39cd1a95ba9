package dashboard

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
	"watchhouse/telemetry/catalog"
)

type catalogOutput struct{ Body Catalog }

type areaMapOutput struct {
	ContentType string `header:"Content-Type"`
	Body        AreaMap
}

func (s *Server) catalogRoutes(api huma.API) {
	handle(s, api, operation{
		id: "get-catalog", method: http.MethodGet, path: "/catalog", may: registry.PermView, summary: "Kinds, metrics and models of devices",
	}, func(context.Context, *struct{}) (*catalogOutput, error) {
		return &catalogOutput{Body: catalogOf(s.registry.View().Catalog())}, nil
	})
	handle(s, api, operation{
		id: "get-area-map", method: http.MethodGet, path: "/areas/map", may: registry.PermView,
		summary: "Borders of the residential committees as GeoJSON; those without a border are left out",
	}, func(context.Context, *struct{}) (*areaMapOutput, error) {
		return &areaMapOutput{ContentType: "application/geo+json", Body: areaMap(s.registry.View().Areas())}, nil
	})
}

func catalogOf(c *catalog.Catalog) Catalog {
	out := Catalog{Events: c.CommonEvents(), Kinds: []CatalogKind{}, Metrics: []CatalogMetric{}, Models: []CatalogModel{}}
	for _, k := range c.Kinds() {
		out.Kinds = append(out.Kinds, CatalogKind{
			ID: string(k.ID), Title: k.Title, Metrics: listOf(k.Metrics), Events: listOf(k.Events),
			ReportIntervalS: int64(c.ReportInterval(k.ID, "", "").Seconds()),
		})
	}
	for _, m := range c.Metrics() {
		out.Metrics = append(out.Metrics, CatalogMetric{Name: m.Name, Unit: m.Unit, ZH: m.ZH, EN: m.EN})
	}
	for _, m := range c.Models() {
		out.Models = append(out.Models, CatalogModel{
			ID: m.ID, Title: m.Title, Kind: string(m.Kind), Power: string(m.Power), ReportIntervalS: int64(m.Interval.Seconds()),
			Profile: m.Profile,
		})
	}
	return out
}

// listOf makes an empty list of none: no list in an answer is null.
func listOf(list []string) []string { return append([]string{}, list...) }

func areaMap(areas []registry.Area) AreaMap {
	out := AreaMap{Type: "FeatureCollection", Features: []AreaFeature{}}
	for _, a := range areas {
		if len(a.Boundary) > 0 {
			out.Features = append(out.Features, AreaFeature{
				Type: "Feature", ID: a.ID, Properties: Area{ID: a.ID, Name: a.Name, NameEN: a.NameEN}, Geometry: a.Boundary,
			})
		}
	}
	return out
}
