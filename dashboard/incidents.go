package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/alerts"
	"watchhouse/registry"
)

type snapshotOutput struct{ Body Snapshot }

type incidentPath struct {
	ID string `path:"id" maxLength:"64"`
}

type incidentsInput struct {
	State  string `query:"state" default:"open" enum:"open,all,new,acknowledged,verifying,dispatched,accepted,on_scene,recovered,resolved,closed,merged,order" doc:"open = all but closed and merged. Closed ones are listed for 24 h. new = waits to be acknowledged; a silent order does not, and is listed as order until it is late."`
	Device string `query:"device" maxLength:"64"`
	Rule   string `query:"rule" maxLength:"64"`
	PageParams
}

type incidentDetailOutput struct {
	ETag string `header:"ETag"`
	Body IncidentDetail
}

func (s *Server) incidentRoutes(api huma.API) {
	handle(s, api, operation{
		id: "get-snapshot", method: http.MethodGet, path: "/snapshot", may: registry.PermView,
		summary: "Open incidents, devices and areas, with the stream position they belong to",
	}, func(context.Context, *struct{}) (*snapshotOutput, error) {
		return &snapshotOutput{Body: s.snapshot()}, nil
	})
	handle(s, api, operation{
		id: "list-incidents", method: http.MethodGet, path: "/incidents", may: registry.PermView,
		summary: "Incidents, newest first",
	}, s.listIncidents)
	handle(s, api, operation{
		id: "get-incident", method: http.MethodGet, path: "/incidents/{id}", may: registry.PermView,
		summary: "An incident and its timeline", problems: []int{http.StatusNotFound},
	}, s.getIncident)
}

func (s *Server) snapshot() Snapshot {
	// The stream's position is taken before the devices: a device that changes in between comes again with its frame.
	v := s.alerts.View()
	out := Snapshot{
		AsOf:      AsOf{Epoch: s.alerts.Epoch(), Seq: v.Seq},
		ServerMS:  time.Now().UnixMilli(),
		Incidents: []*alerts.Incident{},
		Devices:   s.live.List(),
		Areas:     s.areas(),
	}
	for _, i := range v.Incidents {
		if open(i) {
			out.Incidents = append(out.Incidents, i)
		}
	}
	return out
}

func (s *Server) listIncidents(_ context.Context, in *incidentsInput) (*pageOutput[*alerts.Incident], error) {
	after, err := parseTimeCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found := []*alerts.Incident{}
	for _, i := range s.alerts.View().Incidents {
		if in.wants(i) && (in.Cursor == "" || newestFirst(i, after) > 0) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *alerts.Incident) int { return newestFirst(a, timeCursor{b.RaisedAt, b.ID}) })
	if len(found) <= in.Limit {
		return page(found, ""), nil
	}
	last := found[in.Limit-1]
	return page(found[:in.Limit], timeCursor{last.RaisedAt, last.ID}.encode()), nil
}

func (in *incidentsInput) wants(i *alerts.Incident) bool {
	if in.Device != "" && in.Device != i.Device || in.Rule != "" && in.Rule != i.Rule {
		return false
	}
	switch in.State {
	case "open":
		return open(i)
	case "all":
		return true
	case "order":
		return silentOrder(i)
	case string(alerts.StateNew):
		return i.State == alerts.StateNew && !silentOrder(i)
	}
	return string(i.State) == in.State
}

// newestFirst compares an incident with a place in the list; > 0 = after it.
func newestFirst(i *alerts.Incident, c timeCursor) int {
	return cmp.Or(cmp.Compare(c.at, i.RaisedAt), cmp.Compare(c.id, i.ID))
}

// silentOrder reports whether nobody is asked to acknowledge: the incident is a contact's, and in time.
func silentOrder(i *alerts.Incident) bool { return i.Order && i.State == alerts.StateNew }

func open(i *alerts.Incident) bool {
	return i.State != alerts.StateClosed && i.State != alerts.StateMerged
}

func (s *Server) getIncident(ctx context.Context, in *incidentPath) (*incidentDetailOutput, error) {
	steps, err := s.alerts.Timeline(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		return nil, notFound("incident")
	}
	// The timeline's last transition leads to the incident as it is, also when it left the live view long ago.
	now := steps[len(steps)-1].Incident
	out := &incidentDetailOutput{ETag: etag(now), Body: IncidentDetail{Incident: now, Timeline: make([]TimelineEntry, len(steps))}}
	for i, t := range steps {
		out.Body.Timeline[i] = TimelineEntry{Seq: t.N, At: t.At, Kind: t.Kind, Actor: t.Actor, From: t.From, To: t.To, Text: t.Text}
	}
	return out, nil
}

func etag(i *alerts.Incident) string { return `"` + strconv.FormatUint(i.Version, 10) + `"` }
