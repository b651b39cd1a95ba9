package dashboard

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

// BridgeAccount lets a bridge or an observer sign in to the broker.
type BridgeAccount struct {
	ID     string           `json:"id"`
	Grants []registry.Grant `json:"grants"`
}

// BridgeFields are all fields of an account that can be set.
type BridgeFields struct {
	Grants []registry.Grant `json:"grants" doc:"1 to 64 MQTT filters, each to publish, to subscribe or both."`
	Secret string           `json:"secret,omitempty" doc:"8 to 256 bytes, or generate; empty = keep, for a new account generate."`
}

// BridgeAnswer is an account after a change.
type BridgeAnswer struct {
	Account BridgeAccount `json:"account"`
	Secret  string        `json:"secret" doc:"Only when the hub generated one: it is shown only now."`
}

type accountPath struct {
	ID string `path:"id" maxLength:"64"`
}

type putAccountInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body BridgeFields
}

type putAccountOutput struct{ Body BridgeAnswer }

func (s *Server) bridgeRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-accounts", method: http.MethodGet, path: "/accounts", may: registry.PermUsers, summary: "Accounts of bridges and observers by id",
	}, s.listAccounts)
	handle(s, api, operation{
		id: "put-account", method: http.MethodPut, path: "/accounts/{id}", may: registry.PermUsers,
		summary: "Add an account or change all of it; with a new secret it is disconnected", problems: []int{http.StatusServiceUnavailable},
	}, s.putAccount)
	handle(s, api, operation{
		id: "delete-account", method: http.MethodDelete, path: "/accounts/{id}", may: registry.PermUsers, summary: "Remove an account, which is disconnected",
		status: http.StatusNoContent, problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *accountPath) (*struct{}, error) {
		if err := s.registry.DeleteAccess(ctx, caller(ctx).user.Name, in.ID); err != nil {
			return nil, err
		}
		s.changed(ctx, "delete", "account/"+in.ID)
		return nil, nil
	})
}

func (s *Server) listAccounts(_ context.Context, in *PageParams) (*pageOutput[BridgeAccount], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	accounts, found := s.registry.View().Access(), []BridgeAccount{}
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		if id > after {
			found = append(found, BridgeAccount{ID: id, Grants: accounts[id]})
		}
	}
	return pageByID(found, in.Limit, func(a BridgeAccount) string { return a.ID }), nil
}

func (s *Server) putAccount(ctx context.Context, in *putAccountInput) (*putAccountOutput, error) {
	if err := validPathID(in.ID); err != nil {
		return nil, err
	}
	_, known := s.registry.View().Access()[in.ID]
	secret, err := s.registry.PutAccess(ctx, caller(ctx).user.Name, in.ID, in.Body.Grants, in.Body.Secret)
	if err != nil {
		return nil, err
	}
	s.changed(ctx, putAction(known), "account/"+in.ID)
	account := BridgeAccount{ID: in.ID, Grants: s.registry.View().Access()[in.ID]}
	return &putAccountOutput{Body: BridgeAnswer{Account: account, Secret: secret}}, nil
}
