package dashboard

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

// openapiFile is what the page's client is generated from; renew it with
//
//	go test ./dashboard -run TestOpenAPIFileIsCurrent -update
const openapiFile = "web/openapi.json"

var update = flag.Bool("update", false, "write "+openapiFile)

func TestOpenAPIFileIsCurrent(t *testing.T) {
	want, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(openapiFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(openapiFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error(openapiFile + " is stale: run this test with -update")
	}
}

type openAPIDoc struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Responses   map[string]struct {
			Content map[string]any
		}
		RequestBody any
	}
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Properties map[string]struct {
				Type any
			}
		}
	}
}

func description(t *testing.T) openAPIDoc {
	t.Helper()
	b, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var d openAPIDoc
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestOpenAPIIsStable(t *testing.T) {
	a, errA := OpenAPI()
	b, errB := OpenAPI()
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Fatal("two descriptions differ:", errA, errB)
	}
}

func TestOpenAPIDescribesEveryAnswer(t *testing.T) {
	d := description(t)
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("version %q, want 3.1", d.OpenAPI)
	}
	seen := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			seen++
			var good, bad int
			for status, r := range op.Responses {
				switch {
				case status[0] == '2':
					good++
				case r.Content["application/problem+json"] != nil:
					bad++
				default:
					t.Errorf("%s %s: %s is not a problem", method, path, status)
				}
			}
			if op.OperationID == "" || good != 1 || bad == 0 {
				t.Errorf("%s %s: id %q, %d good and %d problem answers", method, path, op.OperationID, good, bad)
			}
		}
	}
	if seen < 25 {
		t.Errorf("%d operations described, want all", seen)
	}
}

func TestOpenAPIHasNoNullListsAndTheStreamsFrames(t *testing.T) {
	d := description(t)
	for _, name := range []string{"BatchFrame", "WelcomeFrame", "HeartbeatFrame", "ResyncFrame", "DeviceFrame", "ClientFrame", "Problem", "Incident", "DeviceState"} {
		if _, ok := d.Components.Schemas[name]; !ok {
			t.Errorf("no schema %s", name)
		}
	}
	for name, s := range d.Components.Schemas {
		for field, p := range s.Properties {
			b, err := json.Marshal(p.Type)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(b), "array") && strings.Contains(string(b), "null") {
				t.Errorf("%s.%s may be null, but no list is", name, field)
			}
		}
	}
	if _, ok := d.Components.Schemas["ErrorModel"]; ok {
		t.Error("the library's own error is described, but never sent")
	}
}
