package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/alerts"
	"watchhouse/registry"
)

// action is a command on an incident and who may give it.
type action struct {
	name, summary string
	may           registry.Permission
	anyVersion    bool // needs no If-Match
}

func actions() []action {
	return []action{
		{"acknowledge", "Take an incident: the first one wins", registry.PermHandle, true},
		{"unacknowledge", "Give an incident back", registry.PermHandle, false},
		{"note", "Add a note", registry.PermHandle, true},
		{"resolve", "Say what it was and that it is done; P1 needs a disposition and a text", registry.PermHandle, false},
		{"close", "Review and close", registry.PermReview, false},
		{"reopen", "Open again", registry.PermReview, false},
	}
}

// CommandHeaders go with every command on an incident.
type CommandHeaders struct {
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"A repeat of the same command with the same key by the same user answers the first result and changes nothing."`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The version the decision was made on, quoted: \"3\"."`
}

type commandInput struct {
	ID string `path:"id" maxLength:"64"`
	CommandHeaders
	Body *struct {
		Text        string `json:"text,omitempty" maxLength:"2000" doc:"A note or a reason."`
		Disposition string `json:"disposition,omitempty" enum:"real_120,real_visited,false_press,test,device_fault,unreachable_visited,other" doc:"Only with resolve: what it was."`
	} `required:"false"`
}

type openInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"128"`
	Body struct {
		Device   string          `json:"device,omitempty" maxLength:"64" doc:"A registered device, if one is concerned."`
		Rule     string          `json:"rule" enum:"MANUAL"`
		Text     string          `json:"text" minLength:"1" maxLength:"2000" doc:"What was reported, and by whom."`
		Priority alerts.Priority `json:"priority" minimum:"1" maximum:"4"`
	}
}

// CommandAnswer is the incident after a command.
type CommandAnswer struct {
	ETag     string `header:"ETag"`
	Repeated string `header:"Idempotency-Replayed" doc:"true when the answer is that of an earlier request with this key."`
	Body     *alerts.Incident
}

// openOutput repeats CommandAnswer's fields: huma takes an embedded struct's for parts of a body.
type openOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Repeated string `header:"Idempotency-Replayed" doc:"true when the answer is that of an earlier request with this key."`
	Body     *alerts.Incident
}

func (s *Server) commandRoutes(api huma.API) {
	handle(s, api, operation{
		id: "open-incident", method: http.MethodPost, path: "/incidents", may: registry.PermHandle,
		summary: "Open an incident by hand: a phone call, a patrol, 12345", status: http.StatusCreated,
		problems: []int{http.StatusConflict, http.StatusServiceUnavailable},
	}, s.openIncident)
	for _, a := range actions() {
		problems := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
		if !a.anyVersion {
			problems = append(problems, http.StatusPreconditionRequired)
		}
		handle(s, api, operation{
			id: a.name + "-incident", method: http.MethodPost, path: "/incidents/{id}/" + a.name, may: a.may,
			summary: a.summary, problems: problems,
		}, func(ctx context.Context, in *commandInput) (*CommandAnswer, error) { return s.command(ctx, a, in) })
	}
}

func (s *Server) command(ctx context.Context, a action, in *commandInput) (*CommandAnswer, error) {
	c := alerts.Command{
		Key: in.Key, Actor: caller(ctx).user.Name, Incident: in.ID, Action: a.name,
	}
	if in.Body != nil {
		c.Text, c.Disposition = strings.TrimSpace(in.Body.Text), in.Body.Disposition
	}
	if !a.anyVersion {
		version, err := parseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		c.IfVersion = &version
	}
	if a.name == "note" && c.Text == "" {
		return nil, invalid("body.text", "want a text")
	}
	return s.do(ctx, c)
}

func (s *Server) openIncident(ctx context.Context, in *openInput) (*openOutput, error) {
	if _, ok := s.registry.View().Device(in.Body.Device); !ok && in.Body.Device != "" {
		return nil, invalid("body.device", "want a registered device")
	}
	out, err := s.do(ctx, alerts.Command{
		Key: in.Key, Actor: caller(ctx).user.Name, Action: "open",
		Rule: in.Body.Rule, Device: in.Body.Device, Priority: in.Body.Priority, Text: strings.TrimSpace(in.Body.Text),
	})
	if err != nil {
		return nil, err
	}
	return &openOutput{apiPrefix + "/incidents/" + out.Body.ID, out.ETag, out.Repeated, out.Body}, nil
}

func (s *Server) do(ctx context.Context, c alerts.Command) (*CommandAnswer, error) {
	res, err := s.alerts.Do(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &CommandAnswer{ETag: etag(res.Incident), Body: res.Incident}
	if res.Repeated {
		out.Repeated = "true"
	}
	return out, nil
}

// parseIfMatch reads a strong entity tag that holds a version.
func parseIfMatch(s string) (uint64, error) {
	if s == "" {
		return 0, newProblem(http.StatusPreconditionRequired, codePreconditionRequired,
			"Send If-Match with the version you decided on.").with("header.If-Match", `want "<version>"`)
	}
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return 0, invalid("header.If-Match", `want "<version>", quoted`)
	}
	v, err := strconv.ParseUint(s[1:len(s)-1], 10, 64)
	if err != nil {
		return 0, invalid("header.If-Match", `want "<version>", a number`)
	}
	return v, nil
}
