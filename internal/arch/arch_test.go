package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "watchhouse"

// floors orders the folders of the module: an import may only point to a smaller number.
var floors = map[string]int{
	"telemetry":  0,
	"certs":      5, // certificates: the broker names devices by them, config composes, hub serves, cmd makes them
	"journal":    10,
	"registry":   11, // registry keeps its change sets on a journal
	"broker":     20,
	"ingest":     20,
	"alerts":     20,
	"dashboard":  30,
	"config":     40,
	"hub":        50,
	"cmd":        60,
	"simulators": 1, // a simulator that used our codecs would agree with their faults: it sees telemetry only
}

// exclusive names libraries that only the given folders may import, with the reason.
var exclusive = []struct {
	library string
	folders []string
	reason  string
}{
	{"github.com/mochi-mqtt/server/v2", []string{"broker"}, "the MQTT library does not leak out of the broker"},
	{"github.com/influxdata/influxdb-client-go/v2", []string{"ingest"}, "only ingest knows the database"},
	{"github.com/influxdata/line-protocol/v2", []string{"ingest"}, "only ingest knows the database"},
	{"modernc.org/sqlite", []string{"journal"}, "only the journal's engine speaks SQL"},
	{"database/sql", []string{"journal", "alerts/history"}, "only the journal's engine and the read model speak SQL"},
	{"github.com/danielgtaylor/huma/v2", []string{"dashboard"}, "only dashboard speaks REST"},
	{"github.com/alecthomas/kong", []string{"cmd"}, "only cmd has flags"},
	{"os/signal", []string{"cmd"}, "only cmd touches signals"},
}

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			if why := broken(p.ImportPath, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

func TestEveryFolderHasAFloor(t *testing.T) {
	for _, p := range list(t) {
		top := folder(p.ImportPath)
		if _, known := floors[top]; !known && top != "internal" && top != "examples" {
			t.Errorf("%s: folder %q is on no floor of DESIGN; add it to the table with its reason", p.ImportPath, top)
		}
	}
}

func TestTheRulesCanBeBroken(t *testing.T) {
	for _, bad := range [][2]string{
		{"watchhouse/journal", "watchhouse/broker"},
		{"watchhouse/broker", "watchhouse/alerts"},
		{"watchhouse/simulators/fleet", "watchhouse/journal"},
		{"watchhouse/dashboard", "database/sql"},
		{"watchhouse/hub", "os/signal"},
	} {
		if broken(bad[0], bad[1]) == "" {
			t.Errorf("%s importing %s must be refused", bad[0], bad[1])
		}
	}
}

// broken says why importer must not import imported, or "".
func broken(importer, imported string) string {
	if why := floorBroken(importer, imported); why != "" {
		return why
	}
	local := strings.TrimPrefix(importer, module+"/")
	for _, rule := range exclusive {
		if within(imported, rule.library) && !withinAny(local, rule.folders) {
			return rule.reason
		}
	}
	return ""
}

func floorBroken(importer, imported string) string {
	from, to := folder(importer), folder(imported)
	if !strings.HasPrefix(imported, module+"/") || from == to || to == "internal" || from == "internal" {
		return ""
	}
	if from == "simulators" && to != "telemetry" {
		return "simulators see telemetry only"
	}
	if to == "simulators" && from != "cmd" {
		return "only cmd may start simulators"
	}
	if floors[from] <= floors[to] {
		return "an import may only point down"
	}
	return ""
}

// folder is the first element of a path below the module.
func folder(path string) string {
	local, _ := strings.CutPrefix(path, module+"/")
	top, _, _ := strings.Cut(local, "/")
	return top
}

func within(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

func withinAny(path string, parents []string) bool {
	for _, parent := range parents {
		if within(path, parent) {
			return true
		}
	}
	return false
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("go list output: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}
