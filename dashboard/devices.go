package dashboard

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/dashboard/live"
	"watchhouse/ingest"
	"watchhouse/registry"
)

type devicesInput struct {
	Kind    string `query:"kind" maxLength:"64"`
	Area    string `query:"area" maxLength:"64"`
	Place   string `query:"place" maxLength:"64"`
	Gateway string `query:"gateway" maxLength:"64" doc:"Those behind this gateway."`
	Q       string `query:"q" maxLength:"100" doc:"Part of the id, the name or the address."`
	PageParams
}

type devicePath struct {
	ID string `path:"id" maxLength:"64"`
}

type deviceOutput struct{ Body live.DeviceState }

type seriesInput struct {
	ID     string `path:"id" maxLength:"64"`
	Metric string `query:"metric" required:"true" minLength:"1" maxLength:"64" pattern:"^[a-z][a-z0-9_]*$"`
	From   int64  `query:"from" doc:"Unix ms; 0 or absent = 24 h before to." minimum:"0"`
	To     int64  `query:"to" doc:"Unix ms; 0 or absent = now." minimum:"0"`
	Every  int64  `query:"every" doc:"Width of a window in ms; 0 = the hub chooses." minimum:"0" maximum:"31622400000"`
}

type seriesOutput struct{ Body Series }

type areasOutput struct{ Body Page[Area] }

func (s *Server) deviceRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-devices", method: http.MethodGet, path: "/devices", may: registry.PermView, summary: "Devices by id",
	}, s.listDevices)
	handle(s, api, operation{
		id: "get-device", method: http.MethodGet, path: "/devices/{id}", may: registry.PermView, summary: "A device as it is now",
		problems: []int{http.StatusNotFound},
	}, func(_ context.Context, in *devicePath) (*deviceOutput, error) {
		d, ok := s.live.Get(in.ID)
		if !ok {
			return nil, notFound("device")
		}
		return &deviceOutput{Body: d}, nil
	})
	handle(s, api, operation{
		id: "list-device-metrics", method: http.MethodGet, path: "/devices/{id}/metrics", may: registry.PermView,
		summary: "Metrics a device has sent in the last 30 days", problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.deviceMetrics)
	handle(s, api, operation{
		id: "get-device-series", method: http.MethodGet, path: "/devices/{id}/series", may: registry.PermView,
		summary: "History of one metric", problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.deviceSeries)
	handle(s, api, operation{
		id: "list-areas", method: http.MethodGet, path: "/areas", may: registry.PermView, summary: "Residential committees",
	}, func(context.Context, *struct{}) (*areasOutput, error) {
		return &areasOutput{Body: Page[Area]{Items: s.areas()}}, nil
	})
}

func (s *Server) areas() []Area {
	out := []Area{}
	for _, a := range s.registry.View().Areas() {
		out = append(out, Area{ID: a.ID, Name: a.Name, NameEN: a.NameEN})
	}
	return out
}

func (s *Server) listDevices(_ context.Context, in *devicesInput) (*pageOutput[live.DeviceState], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	q, found := strings.ToLower(in.Q), []live.DeviceState{}
	for _, d := range s.live.List() {
		if d.ID > after && in.wants(d, q) {
			found = append(found, d)
		}
		if len(found) > in.Limit {
			break
		}
	}
	return pageByID(found, in.Limit, func(d live.DeviceState) string { return d.ID }), nil
}

func (in *devicesInput) wants(d live.DeviceState, q string) bool {
	return (in.Kind == "" || in.Kind == string(d.Kind)) && (in.Area == "" || in.Area == d.Area) &&
		(in.Place == "" || in.Place == d.Place) && (in.Gateway == "" || in.Gateway == d.Gateway) &&
		(q == "" || strings.Contains(strings.ToLower(d.ID+"\n"+d.Name+"\n"+d.Address), q))
}

func (s *Server) deviceMetrics(ctx context.Context, in *devicePath) (*pageOutput[string], error) {
	if err := s.hasHistory(in.ID); err != nil {
		return nil, err
	}
	names, err := s.history.Metrics(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return page(names, ""), nil
}

func (s *Server) hasHistory(device string) error {
	if _, ok := s.registry.View().Device(device); !ok {
		return notFound("device")
	}
	if s.history == nil {
		return ingest.ErrNotConfigured
	}
	return nil
}

func (s *Server) deviceSeries(ctx context.Context, in *seriesInput) (*seriesOutput, error) {
	if err := s.hasHistory(in.ID); err != nil {
		return nil, err
	}
	to := in.To
	if to == 0 {
		to = time.Now().UnixMilli()
	}
	from := in.From
	if from == 0 {
		from = to - (24 * time.Hour).Milliseconds()
	}
	switch {
	case from >= to:
		return nil, invalid("query.from", "want a time before to")
	case to > math.MaxInt64/int64(time.Millisecond):
		return nil, invalid("query.to", "want Unix ms")
	case in.Every > 0 && (to-from)/in.Every > 10_000:
		return nil, invalid("query.every", "want at most 10,000 windows")
	}
	query := ingest.Query{
		Device: in.ID, Metric: in.Metric, From: time.UnixMilli(from), To: time.UnixMilli(to),
		Every: time.Duration(in.Every) * time.Millisecond,
	}
	every, err := query.Window()
	if err != nil {
		return nil, err
	}
	points, err := s.history.Series(ctx, query)
	if err != nil {
		return nil, err
	}
	if points == nil {
		points = []ingest.Point{}
	}
	return &seriesOutput{Body: Series{Device: in.ID, Metric: in.Metric, From: from, To: to, EveryMS: every.Milliseconds(), Points: points}}, nil
}
