package dashboard

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/ingest"
	"watchhouse/registry"
)

type deadLetterPath struct {
	N uint64 `path:"n" minimum:"1" doc:"Number of the dead letter."`
}

type redriveOutput struct{ Body ingest.Redriven }

func (s *Server) deadLetterRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-deadletters", method: http.MethodGet, path: "/journal/deadletters", may: registry.PermJournal,
		summary: "Messages nothing could decode or the database refused, newest first",
	}, s.listDeadLetters)
	handle(s, api, operation{
		id: "redrive-deadletter", method: http.MethodPost, path: "/journal/deadletters/{n}/redrive", may: registry.PermDevices,
		summary:  "Decodes a dead letter's message with what the hub knows now and writes it to the time-series database; a repeat changes nothing",
		problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.redrive)
}

func (s *Server) listDeadLetters(ctx context.Context, in *PageParams) (*pageOutput[DeadLetter], error) {
	records, next, err := s.side(ctx, "deadletter", in)
	if err != nil {
		return nil, err
	}
	redriven := map[uint64]int64{}
	if s.letters != nil {
		if redriven, err = s.letters.RedrivenAt(ctx, records); err != nil {
			return nil, err
		}
	}
	out := make([]DeadLetter, len(records))
	for i, r := range records {
		out[i] = DeadLetter{SideRecord: sideRecord(r), RedrivenAt: redriven[r.N]}
	}
	return page(out, next), nil
}

func (s *Server) redrive(ctx context.Context, in *deadLetterPath) (*redriveOutput, error) {
	if s.letters == nil {
		return nil, ingest.ErrNotConfigured
	}
	out, err := s.letters.Redrive(ctx, in.N)
	if err != nil {
		return nil, err
	}
	s.changed(ctx, "redrive", "deadletter/"+strconv.FormatUint(in.N, 10))
	return &redriveOutput{Body: out}, nil
}
