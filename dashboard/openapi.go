package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"watchhouse/alerts"
	"watchhouse/dashboard/live"
	"watchhouse/dashboard/stream"
)

const (
	apiPrefix    = "/api/v1"
	schemaPrefix = "#/components/schemas/"
)

// OpenAPI is the description of the REST API, as GET /api/v1/openapi.json answers it. It needs no running hub.
func OpenAPI() ([]byte, error) {
	s := &Server{cfg: DefaultConfig()}
	return describe(s.routes(http.NewServeMux()))
}

// describe marshals the description with stable order and a final newline.
func describe(api huma.API) ([]byte, error) {
	b, err := json.MarshalIndent(api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("marshal the API description: %w", err)
	}
	return append(b, '\n'), nil
}

// newAPI is huma without its pages, links and wide defaults.
func newAPI(mux *http.ServeMux) huma.API {
	c := huma.DefaultConfig("Watchhouse", "1")
	c.Info.Description = "The control room's API. Times are Unix ms unless a field says otherwise. " +
		"Sign in for a cookie or send a bearer token. Errors are problem details (RFC 9457) with a stable code."
	c.Components.Schemas = huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: cookieName},
		"token":   {Type: "http", Scheme: "bearer"},
	}
	c.Servers = []*huma.Server{{URL: "/"}}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.NoFormatFallback = false
	c.RejectUnknownQueryParameters = true
	c.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat} // +json
	c.Transformers = []huma.Transformer{ownProblems}
	return humago.New(mux, c)
}

// ownProblems replaces the library's error bodies and adds the request id to ours.
func ownProblems(ctx huma.Context, _ string, v any) (any, error) {
	var p *Problem
	switch e := v.(type) {
	case *huma.ErrorModel:
		p = fromHuma(e)
	case *Problem:
		p = e
	default:
		return v, nil
	}
	p.RequestID = requestID(ctx.Context())
	return p, nil
}

// problemResponses describes the problems an operation may answer with.
func problemResponses(api huma.API, statuses ...int) map[string]*huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	out := make(map[string]*huma.Response, len(statuses))
	for _, status := range statuses {
		out[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
		}
	}
	return out
}

// finish adds the stream's frames and tidies the schemas: what we send has no null lists, and huma's own error type is
// never sent.
func finish(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	for _, t := range []reflect.Type{
		reflect.TypeFor[stream.ClientFrame](), reflect.TypeFor[stream.WelcomeFrame](), reflect.TypeFor[stream.BatchFrame](),
		reflect.TypeFor[stream.HeartbeatFrame](), reflect.TypeFor[stream.ResyncFrame](), reflect.TypeFor[DeviceFrame](),
	} {
		schemas.Schema(t, true, t.Name())
	}
	delete(schemas.Map(), "ErrorModel")
	delete(schemas.Map(), "ErrorDetail")
	for _, s := range schemas.Map() {
		withoutNullLists(s)
	}
	enumerate(schemas)
}

// DeviceFrame is the stream's frame of device states; here for its description only.
type DeviceFrame struct {
	T   string             `json:"t" enum:"dev"`
	MS  int64              `json:"ms" doc:"The hub's clock, Unix ms."`
	Dev []live.DeviceState `json:"dev"`
}

func withoutNullLists(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
		withoutNullLists(s.Items)
	}
	for _, p := range s.Properties {
		withoutNullLists(p)
	}
}

// enumerate adds what Go's string types leave out.
func enumerate(schemas huma.Registry) {
	incident := schemas.SchemaFromRef(schemaPrefix + "Incident")
	states := []any{
		alerts.StateNew, alerts.StateAcknowledged, alerts.StateVerifying, alerts.StateDispatched, alerts.StateAccepted,
		alerts.StateOnScene, alerts.StateRecovered, alerts.StateResolved, alerts.StateClosed, alerts.StateMerged,
	}
	incident.Properties["state"].Enum = states
	low, high := 1.0, 4.0
	incident.Properties["priority"].Minimum, incident.Properties["priority"].Maximum = &low, &high
}
