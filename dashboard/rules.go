package dashboard

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/alerts"
	"watchhouse/registry"
)

func (s *Server) ruleRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-rules", method: http.MethodGet, path: "/rules", may: registry.PermView,
		summary: "The rules the hub decides by, with their names in both languages",
	}, func(context.Context, *struct{}) (*pageOutput[alerts.RuleInfo], error) {
		return page(s.alerts.Rules().List(), ""), nil
	})
}
