package dashboard

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/alerts"
	"watchhouse/registry"
)

func (s *Server) pointRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-points", method: http.MethodGet, path: "/points", may: registry.PermView,
		summary: "How full the streams of sorting points and recyclables points are",
	}, func(context.Context, *struct{}) (*pageOutput[alerts.FillPoint], error) {
		return page(s.alerts.Points(), ""), nil
	})
}
