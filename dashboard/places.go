package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

type placesInput struct {
	Area string `query:"area" maxLength:"64"`
	PageParams
}

type placePath struct {
	ID string `path:"id" maxLength:"64"`
}

type putPlaceInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body PlaceFields
}

type placeOutput struct{ Body Place }

func (s *Server) placeRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-places", method: http.MethodGet, path: "/places", may: registry.PermView, summary: "Places by id",
	}, s.listPlaces)
	handle(s, api, operation{
		id: "get-place", method: http.MethodGet, path: "/places/{id}", may: registry.PermView, summary: "A place",
		problems: []int{http.StatusNotFound},
	}, func(_ context.Context, in *placePath) (*placeOutput, error) {
		p, ok := s.registry.View().Place(in.ID)
		if !ok {
			return nil, notFound("place")
		}
		return &placeOutput{Body: placeOf(p)}, nil
	})
	handle(s, api, operation{
		id: "put-place", method: http.MethodPut, path: "/places/{id}", may: registry.PermDevices, summary: "Add a place or change all of it",
		problems: []int{http.StatusServiceUnavailable},
	}, s.putPlace)
	handle(s, api, operation{
		id: "delete-place", method: http.MethodDelete, path: "/places/{id}", may: registry.PermDevices, summary: "Remove a place where no device is",
		status: http.StatusNoContent, problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *placePath) (*struct{}, error) {
		if err := s.registry.DeletePlace(ctx, caller(ctx).user.Name, in.ID); err != nil {
			return nil, err
		}
		s.changed(ctx, "delete", "place/"+in.ID)
		return nil, nil
	})
}

func (s *Server) listPlaces(_ context.Context, in *placesInput) (*pageOutput[Place], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found := []Place{}
	for _, p := range s.registry.View().Places() {
		if p.ID > after && (in.Area == "" || in.Area == p.Area) {
			found = append(found, placeOf(p))
		}
	}
	return pageByID(found, in.Limit, func(p Place) string { return p.ID }), nil
}

func (s *Server) putPlace(ctx context.Context, in *putPlaceInput) (*placeOutput, error) {
	if err := validPathID(in.ID); err != nil {
		return nil, err
	}
	_, known := s.registry.View().Place(in.ID)
	f := in.Body
	p := registry.Place{ID: in.ID, Name: f.Name, Area: f.Area, Lat: f.Lat, Lon: f.Lon, Hours: f.Hours}
	if err := s.registry.PutPlaces(ctx, caller(ctx).user.Name, []registry.Place{p}); err != nil {
		return nil, err
	}
	s.changed(ctx, putAction(known), "place/"+in.ID)
	p, _ = s.registry.View().Place(in.ID)
	return &placeOutput{Body: placeOf(p)}, nil
}

// putAction names in the audit what a PUT did.
func putAction(known bool) string {
	if known {
		return "update"
	}
	return "create"
}

func placeOf(p registry.Place) Place {
	return Place{ID: p.ID, Name: p.Name, Area: p.Area, Lat: p.Lat, Lon: p.Lon, Hours: p.Hours, Open: p.Open(time.Now())}
}
