package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

// maxFileBytes bounds an uploaded file; a city's devices are some 10 MB.
const maxFileBytes = 32 << 20

type registrationsInput struct{ PageParams }

type csvInput struct {
	RawBody []byte `contentType:"text/csv"`
}

type geoJSONInput struct {
	RawBody []byte `contentType:"application/geo+json"`
}

type csvOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte `contentType:"text/csv"`
}

type importOutput struct{ Body ImportResult }

// registryFile is one of the registry's CSV files.
type registryFile struct {
	what string
	save func(*registry.View, io.Writer) error
	load func(*registry.Registry, context.Context, string, io.Reader) (registry.ImportReport, error)
}

func registryFiles() []registryFile {
	return []registryFile{
		{"devices", (*registry.View).ExportCSV, (*registry.Registry).ImportCSV},
		{"places", (*registry.View).ExportPlaces, (*registry.Registry).ImportPlaces},
		{"contacts", (*registry.View).ExportContacts, (*registry.Registry).ImportContacts},
	}
}

func (s *Server) fileRoutes(api huma.API) {
	for _, f := range registryFiles() {
		handle(s, api, operation{
			id: "export-" + f.what, method: http.MethodGet, path: "/registry/" + f.what + ".csv", may: registry.PermDevices,
			summary: "The " + f.what + " as CSV, without secrets and without personal data",
		}, func(context.Context, *struct{}) (*csvOutput, error) { return s.exportFile(f) })
		handle(s, api, operation{
			id: "import-" + f.what, method: http.MethodPost, path: "/registry/" + f.what + ".csv", may: registry.PermDevices, maxBody: maxFileBytes,
			summary:  "Add and change " + f.what + " from CSV, all or nothing; every fault is named by row and column",
			problems: []int{http.StatusServiceUnavailable},
		}, func(ctx context.Context, in *csvInput) (*importOutput, error) {
			report, err := f.load(s.registry, ctx, caller(ctx).user.Name, bytes.NewReader(in.RawBody))
			return s.imported(ctx, f.what, report, err)
		})
	}
	handle(s, api, operation{
		id: "import-areas", method: http.MethodPost, path: "/registry/areas.geojson", may: registry.PermDevices, maxBody: maxFileBytes,
		summary:  "Add and change residential committees from GeoJSON (WGS-84), all or nothing; every fault is named by feature and member",
		problems: []int{http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *geoJSONInput) (*importOutput, error) {
		report, err := s.registry.ImportAreas(ctx, caller(ctx).user.Name, bytes.NewReader(in.RawBody))
		return s.imported(ctx, "areas", report, err)
	})
	handle(s, api, operation{
		id: "list-registrations", method: http.MethodGet, path: "/registry/devices", may: registry.PermView,
		summary: "What the registry says of the devices, by id",
	}, s.listRegistrations)
}

func (s *Server) exportFile(f registryFile) (*csvOutput, error) {
	var text bytes.Buffer
	if err := f.save(s.registry.View(), &text); err != nil {
		return nil, fmt.Errorf("export %s: %w", f.what, err)
	}
	return &csvOutput{
		ContentType: "text/csv; charset=utf-8", Disposition: `attachment; filename="` + f.what + `.csv"`, Body: text.Bytes(),
	}, nil
}

func (s *Server) imported(ctx context.Context, what string, report registry.ImportReport, err error) (*importOutput, error) {
	if err != nil {
		return nil, fileProblem(err)
	}
	s.changedBecause(ctx, "import", what, fmt.Sprintf("added %d, changed %d", report.Added, report.Changed))
	out := &importOutput{Body: ImportResult{Added: report.Added, Changed: report.Changed, Secrets: report.Generated}}
	if out.Body.Secrets == nil {
		out.Body.Secrets = map[string]string{}
	}
	return out, nil
}

// fileProblem names the faults of a file; any other error is as it is.
func fileProblem(err error) error {
	p := newProblem(http.StatusUnprocessableEntity, codeInvalid, "Nothing was imported: the file has faults.")
	var rows registry.ImportErrors
	var features registry.FeatureErrors
	switch {
	case errors.As(err, &rows):
		for _, f := range rows {
			p.Errors = append(p.Errors, fileFault(f.Row, f.Column, f.Want, f.Got))
		}
	case errors.As(err, &features):
		for _, f := range features {
			p.Errors = append(p.Errors, fileFault(f.Feature, f.Member, f.Want, f.Got))
		}
	default:
		return err
	}
	return p
}

// fileFault is a fault of a file. What was found is told, as on the command line: the registry hides secrets itself.
func fileFault(row int, column, want, got string) FieldProblem {
	location := fmt.Sprintf("body[%d]", row)
	if column != "" {
		location += "." + column
	}
	return FieldProblem{Location: location, Message: "want " + want + ", got " + got, Row: row, Column: column}
}

func (s *Server) listRegistrations(_ context.Context, in *registrationsInput) (*pageOutput[Registration], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	v, found := s.registry.View(), []Registration{}
	for _, d := range v.Devices() {
		if d.ID > after {
			found = append(found, registrationOf(v, d))
		}
		if len(found) > in.Limit {
			break
		}
	}
	return pageByID(found, in.Limit, func(r Registration) string { return r.ID }), nil
}
