package dashboard

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

// NewToken is a bearer token for a program.
type NewToken struct {
	User  string `json:"user"`
	Label string `json:"label" doc:"What it is for."`
	Token string `json:"token" doc:"Shown only now."`
}

type tokenPath struct {
	Name  string `path:"name" maxLength:"64"`
	Label string `path:"label" maxLength:"64"`
}

type newTokenOutput struct {
	Location string `header:"Location"`
	Body     NewToken
}

func (s *Server) tokenRoutes(api huma.API) {
	handle(s, api, operation{
		id: "create-token", method: http.MethodPost, path: "/users/{name}/tokens/{label}", may: anyUser, status: http.StatusCreated,
		summary:  "Make a token for a program, with the rights of the user: one's own, or with users anybody's",
		problems: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}, s.newToken)
}

func (s *Server) newToken(ctx context.Context, in *tokenPath) (*newTokenOutput, error) {
	who := caller(ctx).user
	if in.Name != who.Name && !who.Role.Can(registry.PermUsers) {
		return nil, newProblem(http.StatusForbidden, codeForbidden, "You may make tokens of your own only.")
	}
	token, err := s.registry.NewToken(ctx, who.Name, in.Name, in.Label)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil, notFound("user")
	case err != nil:
		return nil, err
	}
	s.changed(ctx, "create_token", "user/"+in.Name+"/"+in.Label)
	return &newTokenOutput{
		Location: apiPrefix + "/users/" + in.Name + "/tokens/" + in.Label, Body: NewToken{User: in.Name, Label: in.Label, Token: token},
	}, nil
}
