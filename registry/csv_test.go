package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchhouse/telemetry"
)

func importCSV(t *testing.T, r *Registry, text string) (ImportReport, error) {
	t.Helper()
	return r.ImportCSV(t.Context(), "t", strings.NewReader(text))
}

func TestImportMerges(t *testing.T) {
	r := openTest(t)
	report, err := importCSV(t, r, "\xef\xbb\xbfKind , ID,secret,lat,lon,crs,report_interval_s,power,name\r\n"+
		"gateway,gw,,,,,,,\r\n"+
		"emergency_button,btn,12345678,31.25,121.57,WGS84,600,Battery,\" 洪安小区,12号\"\r\n\r\n")
	check(t, err)
	if report.Added != 2 || report.Changed != 0 || len(report.Generated) != 1 || report.Generated["gw"] == "" {
		t.Errorf("report %+v, want two added and a secret for gw", report)
	}
	lat, lon := 31.25, 121.57
	want := Device{
		ID: "btn", Kind: telemetry.EmergencyButton, Name: "洪安小区,12号", Lat: &lat, Lon: &lon, Power: telemetry.Battery,
		ReportInterval: 10 * time.Minute, HasSecret: true,
	}
	got, _ := r.View().Device("btn")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("device (-want +got):\n%s", diff)
	}

	// A file with fewer columns leaves the others alone; an empty cell clears; an empty secret keeps the secret.
	report, err = importCSV(t, r, "id,kind,power,gateway,secret\nbtn,emergency_button,,gw,\ngw,gateway,,,\n")
	check(t, err)
	want.Power, want.Gateway = "", "gw"
	got, _ = r.View().Device("btn")
	if diff := cmp.Diff(want, got); diff != "" || report.Changed != 1 || report.Added != 0 || len(report.Generated) != 0 {
		t.Errorf("report %+v, device (-want +got):\n%s", report, diff)
	}
	if _, err := r.Authenticate("btn", "btn", []byte("12345678")); err != nil {
		t.Errorf("the secret of the first file is gone: %v", err)
	}
	if _, err := r.Authenticate("gw", "gw", []byte(importedSecret(t, r, "gw"))); err != nil {
		t.Errorf("the newly generated secret does not open: %v", err)
	}
}

// importedSecret has an import make a new secret.
func importedSecret(t *testing.T, r *Registry, id string) string {
	t.Helper()
	report, err := importCSV(t, r, "id,kind,secret\n"+id+",gateway,generate\n")
	check(t, err)
	return report.Generated[id]
}

// faultyFiles are files and every fault that their import has to name.
var faultyFiles = []struct {
	name, file string
	want       []RowError // Want is a part of the text
}{
	{"empty", "", []RowError{{1, "", "a header", "an empty file"}}},
	{"only a mark", "\xef\xbb\xbf", []RowError{{1, "", "a header", "an empty file"}}},
	{"no kind", "id\na\n", []RowError{{1, "kind", "this column", "none"}}},
	{"unknown column", "id,kind,colour\na,garage,red\n", []RowError{{1, "colour", "one of id,kind", "an unknown column"}}},
	{"column twice", "id,kind,id\na,garage,b\n", []RowError{{1, "id", "each column once", "it twice"}}},
	{"GBK", "id,kind,name\na,garage,\xba\xe9\xb0\xb2\n", []RowError{{2, "", "UTF-8", "another encoding"}}},
	{"UTF-16", "\xff\xfei\x00d\x00", []RowError{{1, "", "UTF-8", "another encoding"}}},
	{"too few and too many cells", "id,kind\na\nb,garage,x\nc,garage\n", []RowError{
		{2, "", "2 cells", "1"}, {3, "", "2 cells", "3"},
	}},
	{"open quote", "id,kind\n\"a,garage\nb,garage\n", []RowError{{2, "", "CSV", "extraneous or missing"}}},
	{"bare quote, and the row after it", "id,kind\na\"b,garage\n?,garage\n", []RowError{
		{2, "", "CSV", "bare"}, {3, "id", "letters", `"?"`},
	}},
	{"duplicate", "id,kind\na,garage\n\nb,garage\na,garage\n", []RowError{{5, "id", "each id once", `"a" as in row 2`}}},
	{"bad ids", "id,kind\n,garage\n-a,garage\na b,garage\n" + strings.Repeat("x", 65) + ",garage\n", []RowError{
		{2, "id", "1 to 64", "nothing"},
		{3, "id", "1 to 64", `"-a"`},
		{4, "id", "1 to 64", `"a b"`},
		{5, "id", "1 to 64", `"` + strings.Repeat("x", 40) + `…"`},
	}},
	{"bad kinds", "id,kind\na,\nb,Garage\nc,emergency_buton\nd,door1\n", []RowError{
		{2, "kind", "emergency_button, safety_house", "nothing"},
		{3, "kind", "garage", `"Garage"`},
		{4, "kind", "emergency_button", `"emergency_buton"`},
		{5, "kind", "of a to z and _", `"door1"`},
	}},
	{"bad numbers", "id,kind,lat,lon,report_interval_s\na,garage,91,0,1\nb,garage,0,-180.1,1\nc,garage,NaN,0,1\n" +
		"d,garage,x,0,1\ne,garage,0,0x10,1\nf,garage,1,,1\ng,garage,,1,1\nh,garage,31,121,0\ni,garage,31,121,1.5\nj,garage,31,121,-5\n" +
		"k,garage,31,121,2592001\nl,garage,1_0,0,\nm,garage,inf,0,\n", []RowError{
		{2, "lat", "-90 to 90", `"91"`},
		{3, "lon", "-180 to 180", `"-180.1"`},
		{4, "lat", "-90 to 90", `"NaN"`},
		{5, "lat", "-90 to 90", `"x"`},
		{6, "lon", "-180 to 180", `"0x10"`},
		{7, "lon", "both", "nothing"},
		{8, "lat", "both", "nothing"},
		{9, "report_interval_s", "1 to 2592000", `"0"`},
		{10, "report_interval_s", "1 to 2592000", `"1.5"`},
		{11, "report_interval_s", "1 to 2592000", `"-5"`},
		{12, "report_interval_s", "1 to 2592000", `"2592001"`},
		{13, "lat", "-90 to 90", `"1_0"`},
		{14, "lat", "-90 to 90", `"inf"`},
	}},
	{"shifted coordinates", "id,kind,lat,lon,crs\na,garage,31,121,gcj02\n", []RowError{{2, "crs", "wgs84 or cgcs2000", `"gcj02"`}}},
	{
		"bad words", "id,kind,power,out_of_service,name,model,address,settings,place\na,garage,wind,maybe,\"a\nb\"," + strings.Repeat("m", 257) +
			",\"x\ty\"," + strings.Repeat("s", 257) + ",a place\n",
		[]RowError{
			{2, "name", "one line", `"a\nb"`},
			{2, "model", "one line", `"mmm`},
			{2, "address", "one line", `"x\ty"`},
			{2, "settings", "one line", `"sss`},
			{2, "place", "1 to 64", `"a place"`},
			{2, "power", "mains, battery", `"wind"`},
			{2, "out_of_service", "true, false", `"maybe"`},
		},
	},
	{
		"what is not there", "id,kind,area,gateway,person,place\na,garage,nowhere,gw,p,nowhere\nb,garage,here,house,,site\nc,gateway,,c,,\nhouse,safety_house,,,,\n",
		[]RowError{
			{2, "gateway", "kind gateway", `"gw"`},
			{2, "area", "a registered area", `"nowhere"`},
			{2, "place", "a registered place", `"nowhere"`},
			{2, "person", "a registered person", `"p"`},
			{3, "gateway", "kind gateway", `"house"`},
			{4, "gateway", "kind gateway", `"c"`},
		},
	},
	{
		"a gateway whose row is wrong is told once", "id,kind,power,gateway\ngw,gateway,x,\na,garage,,gw\n",
		[]RowError{{2, "power", "mains", `"x"`}},
	},
	{"account's id", "id,kind\nobs,garage\n", []RowError{{2, "id", "no access account", `"obs"`}}},
	{"short secret", "id,kind,secret\na,garage,hunter2\n", []RowError{{2, "secret", "8 to 256 bytes", "7 bytes"}}},
	{"person without id", "id,kind,person_name\na,garage,赵一曼\n", []RowError{{2, "person", "the id of the person", "nothing"}}},
	{
		"person without name", "id,kind,person,person_phone\na,garage,p1,13800000000\n",
		[]RowError{{2, "person_name", "a name", "nothing"}},
	},
	{
		"two stories of one person", "id,kind,person,person_name\na,garage,p1,赵一曼\nb,garage,p1,赵二曼\n",
		[]RowError{{3, "person", "as in row 2", "others"}},
	},
	{"formula as id", "id,kind\n=1+1,garage\n", []RowError{{2, "id", "1 to 64", `"=1+1"`}}},
}

func TestImportNamesEveryFault(t *testing.T) {
	for _, tc := range faultyFiles {
		t.Run(tc.name, func(t *testing.T) {
			r := openTest(t)
			check(t, r.PutAreas(t.Context(), "t", []Area{{ID: "here", Name: "Here"}}))
			check(t, r.PutPlaces(t.Context(), "t", []Place{{ID: "site", Name: "Site"}}))
			_, err := r.PutAccess(t.Context(), "t", "obs", []Grant{{Filter: "a", Subscribe: true}}, "")
			check(t, err)
			before := r.View()
			_, err = importCSV(t, r, tc.file)
			var faults ImportErrors
			if !errors.As(err, &faults) {
				t.Fatalf("error %v (%T), want ImportErrors", err, err)
			}
			for i := range max(len(faults), len(tc.want)) {
				if i >= len(faults) || i >= len(tc.want) || !sameFault(faults[i], tc.want[i]) {
					t.Fatalf("fault %d differs; all:\n%v\nwant:\n%v", i, faults, ImportErrors(tc.want))
				}
			}
			for _, hidden := range []string{"hunter2", "赵", "13800000000"} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error repeats %q: %v", hidden, err)
				}
			}
			if r.View() != before {
				t.Error("a faulty file changed the registry")
			}
		})
	}
}

func sameFault(got, want RowError) bool {
	return got.Row == want.Row && got.Column == want.Column && strings.Contains(got.Want, want.Want) && strings.Contains(got.Got, want.Got)
}

func TestImportBoundsWhatItTells(t *testing.T) {
	var file strings.Builder
	file.WriteString("id,kind\n")
	for range 3000 {
		file.WriteString("?,garage\n")
	}
	_, err := importCSV(t, openTest(t), file.String())
	var faults ImportErrors
	if !errors.As(err, &faults) || len(faults) != maxListed {
		t.Fatalf("%d faults, want %d", len(faults), maxListed)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != maxShown+1 || !strings.HasSuffix(err.Error(), "and 950 more") {
		t.Errorf("message of %d lines, want %d and the number of the rest", lines, maxShown+1)
	}
}

func TestImportReportsTheReadersError(t *testing.T) {
	_, err := openTest(t).ImportCSV(t.Context(), "t", &failingReader{})
	if !errors.Is(err, errDisk) {
		t.Errorf("error %v, want the reader's", err)
	}
}

type failingReader struct{}

func (*failingReader) Read([]byte) (int, error) { return 0, errDisk }

func TestImportSealsPeople(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	_, err := importCSV(t, r, "id,kind,person,person_name,person_phone,person_address\n"+
		"a,emergency_button,p1,王小明,'+8613812341234,某路1号\nb,emergency_button,p1,王小明,'+8613812341234,某路1号\n")
	check(t, err)
	got, err := r.Reveal("p1")
	check(t, err)
	if diff := cmp.Diff(Personal{Name: "王小明", Phone: "+8613812341234", Address: "某路1号"}, got); diff != "" {
		t.Errorf("person (-want +got):\n%s", diff)
	}
	for _, step := range p.chain.steps {
		if bytes.Contains(step.Body, []byte("王")) || bytes.Contains(step.Body, []byte("1381234")) {
			t.Error("a change set holds personal data in clear")
		}
	}
	// Fewer columns change fewer fields.
	_, err = importCSV(t, r, "id,kind,person,person_phone\na,emergency_button,p1,15400000000\n")
	check(t, err)
	if got, err = r.Reveal("p1"); err != nil || got.Name != "王小明" || got.Phone != "15400000000" {
		t.Errorf("person %+v, %v after a change of the telephone", got, err)
	}
	if who, _ := r.View().Person("p1"); who != (Person{ID: "p1", MaskedName: "王**", MaskedPhone: "154****0000"}) {
		t.Errorf("masked person %+v", who)
	}
}

// Whatever is registered survives export and import into an empty registry, and a second export is the same file.
func TestCSVRoundTrip(t *testing.T) {
	keys := newPlace(t)
	text := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune(`=+-@'",;ab 洪 `))), rapid.String())
	rapid.Check(t, func(rt *rapid.T) {
		fresh := func() *Registry {
			r := (&place{&memChain{id: "c"}, &memShelf{values: map[string][]byte{}}, keys.key}).open(rt)
			check(rt, r.PutAreas(context.Background(), "t", []Area{{ID: "a1", Name: "x"}}))
			check(rt, r.PutPersons(context.Background(), "t", map[string]Personal{"p1": {Name: "x"}}))
			check(rt, r.PutPlaces(context.Background(), "t", []Place{{ID: "s1", Name: "x"}}))
			return r
		}
		from, to := fresh(), fresh()
		devices := []Device{{ID: "gw", Kind: telemetry.Gateway}}
		for i := range rapid.IntRange(0, 5).Draw(rt, "devices") {
			d := Device{ID: fmt.Sprintf("d%d", i), Kind: "any_kind", Name: text.Draw(rt, "name"), Model: text.Draw(rt, "model"), Address: text.Draw(rt, "address"), Settings: text.Draw(rt, "settings")}
			d.Area, d.Gateway = rapid.SampledFrom([]string{"", "a1"}).Draw(rt, "area"), rapid.SampledFrom([]string{"", "gw"}).Draw(rt, "gw")
			d.Place = rapid.SampledFrom([]string{"", "s1"}).Draw(rt, "place")
			d.Person = rapid.SampledFrom([]string{"", "p1"}).Draw(rt, "person")
			d.Power = rapid.SampledFrom([]telemetry.Power{"", telemetry.Mains, telemetry.Battery}).Draw(rt, "power")
			d.ReportInterval = time.Duration(rapid.IntRange(0, 2592000).Draw(rt, "interval")) * time.Second
			d.OutOfService = rapid.Bool().Draw(rt, "out")
			if rapid.Bool().Draw(rt, "placed") {
				lat, lon := rapid.Float64Range(-90, 90).Draw(rt, "lat"), rapid.Float64Range(-180, 180).Draw(rt, "lon")
				d.Lat, d.Lon = &lat, &lon
			}
			if checkDevice(from.View().Catalog(), d.tidy(from.View().Catalog())) == nil {
				devices = append(devices, d)
			}
		}
		mustPut(rt, from, nil, devices...)
		first := export(rt, from)
		if _, err := to.ImportCSV(context.Background(), "t", strings.NewReader(first)); err != nil {
			rt.Fatalf("import of an export: %v\n%s", err, first)
		}
		if diff := cmp.Diff(withoutSecrets(from.View().Devices()), withoutSecrets(to.View().Devices())); diff != "" {
			rt.Fatalf("devices (-exported +imported):\n%s", diff)
		}
		if second := export(rt, to); second != first {
			rt.Fatalf("second export differs:\n%s", cmp.Diff(first, second))
		}
		checkNoFormulas(rt, first)
	})
}

func export(tb fataler, r *Registry) string {
	tb.Helper()
	var b strings.Builder
	check(tb, r.View().ExportCSV(&b))
	return b.String()
}

func withoutSecrets(ds []Device) []Device {
	out := make([]Device, len(ds))
	for i, d := range ds {
		d.HasSecret = false
		out[i] = d
	}
	return out
}

// checkNoFormulas checks that no cell of a text column begins like a formula.
func checkNoFormulas(tb fataler, file string) {
	records, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	check(tb, err)
	for _, record := range records {
		for i, cell := range record {
			if name := records[0][i]; name != colLat && name != colLon && strings.IndexAny(cell, "=+-@\t\r") == 0 {
				tb.Fatalf("cell %q of column %s is a formula", cell, name)
			}
		}
	}
}

func TestExportHoldsNoSecretsAndNoPeople(t *testing.T) {
	r := openTest(t)
	_, err := importCSV(t, r, "id,kind,secret,person,person_name,person_phone\na,emergency_button,super-secret-1,p1,王小明,13812341234\n")
	check(t, err)
	file := export(t, r)
	for _, hidden := range []string{"super-secret-1", "王", "1381234", "1234"} {
		if strings.Contains(file, hidden) {
			t.Errorf("the export holds %q:\n%s", hidden, file)
		}
	}
	if !strings.Contains(file, "a,emergency_button") || !strings.Contains(file, "p1") {
		t.Errorf("the export lacks the device or its person's id:\n%s", file)
	}
}

// The city's 75,000 devices are one change set, in steps of which each is small in memory and in the chain.
func TestImportOfACity(t *testing.T) {
	devices := 75_000
	if raceEnabled {
		devices /= 10
	}
	var file bytes.Buffer
	file.WriteString("id,kind,name,lat,lon,power,report_interval_s,model\n")
	for i := range devices {
		fmt.Fprintf(&file, "btn-%05d,emergency_button,洪安一村%d号303室,31.252591,121.568434,battery,14400,sim-button-lora\n", i, i)
	}
	p := newPlace(t)
	r := p.open(t)
	report, err := r.ImportCSV(t.Context(), "t", &file)
	check(t, err)
	if report.Added != devices || r.View().Revision() != 1 {
		t.Errorf("added %d in %d change sets", report.Added, r.View().Revision())
	}
	for _, step := range p.chain.steps {
		if len(step.Body) > 2*partBytes {
			t.Errorf("step %d of %d bytes", step.N, len(step.Body))
		}
	}
	if n := len(p.open(t).View().Devices()); n != devices {
		t.Errorf("%d devices after a restart", n)
	}
}

// Whatever is fed to the import, it does all or nothing, and what it accepts it can export and read again.
func FuzzImportCSV(f *testing.F) {
	for _, s := range []string{
		"id,kind\na,garage\n", "\xef\xbb\xbfkind,id,secret\r\ngateway,gw,generate\r\n", "id,kind,lat,lon\na,garage,1,2\n",
		"id,kind,person,person_name\na,garage,p,'=x\n", "id,kind,name\na,garage,\"x\ny\"\n", "id,kind\n\"a", "id,kind,gateway\na,garage,a\n",
	} {
		f.Add(s)
	}
	keys := newPlace(f)
	f.Fuzz(func(t *testing.T, file string) {
		r := (&place{&memChain{id: "c"}, &memShelf{values: map[string][]byte{}}, keys.key}).open(t)
		before := r.View()
		if _, err := importCSV(t, r, file); err != nil {
			if r.View() != before {
				t.Fatal("a refused file changed the registry")
			}
			return
		}
		devices := r.View().Devices()
		report, err := importCSV(t, r, export(t, r))
		if err != nil || report.Added+report.Changed != 0 {
			t.Fatalf("an export does not import as no change: %+v, %v", report, err)
		}
		if diff := cmp.Diff(devices, r.View().Devices()); diff != "" {
			t.Fatalf("devices (-before +after):\n%s", diff)
		}
	})
}
