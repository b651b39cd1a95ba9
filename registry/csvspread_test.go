package registry

import (
	"strings"
	"testing"

	"watchhouse/telemetry"
)

const buttonHeader = "id,kind,model,address,name,person,person_name,person_phone,secret\n"

func buttonRow(address, name, phone string) string {
	return buttonHeader + "b1,emergency_button,milesight-ws101," + address + "," + name + ",p1,张三," + phone + ",secret-of-b1\n"
}

// What spreadsheets and input methods do to a table is either harmless, and read, or has spoilt a cell, and is named by its row.
func TestWhatSpreadsheetsAddIsRead(t *testing.T) {
	for name, file := range map[string]string{
		"empty columns":               "id,kind,address,,\nb1,emergency_button,x1,,\n",
		"empty columns in between":    "id,,kind,address\nb1,,emergency_button,x1\n",
		"more empty cells":            "id,kind,address\nb1,emergency_button,x1,,,\n",
		"cells left out at the end":   "id,kind,address,name,area\nb1,emergency_button,x1\n",
		"empty rows":                  "id,kind,address\n,,\nb1,emergency_button,x1\n,,\n,,\n",
		"the separator's line":        "sep=;\r\nid;kind;address\r\nb1;emergency_button;x1\r\n",
		"the separator's line of \\t": "\"sep=\t\"\nid\tkind\taddress\nb1\temergency_button\tx1\n",
		"semicolons":                  "id;kind;address\nb1;emergency_button;x1\n",
		"tabs":                        "id\tkind\taddress\nb1\temergency_button\tx1\n",
		"tabs around empty cells":     "id\tname\tarea\tkind\taddress\nb1\t\t\temergency_button\tx1\n",
		"a tab in front":              "name\tid\tkind\taddress\n\tb1\temergency_button\tx1\n",
		"marks without width":         "\u200bid,kind\u200b,address\n\u200bb1\ufeff,emergency_button,\u2060x1\n",
		"no-break spaces":             "id,kind,address\n\u00a0b1,emergency_button\u00a0,\u3000x1\n",
		"a text formula":              "id,kind,address\nb1,emergency_button,\"=\"\"x1\"\"\"\n",
		"Chinese headings":            "设备编号,设备类型,设备地址\nb1,emergency_button,x1\n",
		"headings in capitals":        "ID,Kind,DevEUI\nb1,emergency_button,x1\n",
		"headings in full width":      "ＩＤ,ｋｉｎｄ,address\nb1,emergency_button,x1\n",
		"a kind by its title":         "编号,类型,设备地址\nb1,一键呼叫设备,x1\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := openTest(t)
			_, err := importCSV(t, r, file)
			check(t, err)
			d, ok := r.View().Device("b1")
			if !ok || d.Kind != telemetry.EmergencyButton || d.Address != "x1" || len(r.View().Devices()) != 1 {
				t.Errorf("registered %+v", r.View().Devices())
			}
		})
	}
}

func TestDamagedCellsAreNamed(t *testing.T) {
	const eui = "24e1241234ff0001"
	for name, tc := range map[string]struct {
		file string
		want RowError
	}{
		"a shortened address":          {buttonRow("2.41012E+15", "x", ""), RowError{2, "address", "format the column", "E+15"}},
		"an address without zeros":     {buttonRow("24124", "x", ""), RowError{2, "address", "16 hexadecimal", "24124"}},
		"an address with O":            {buttonRow("24e1241234ffOOO1", "x", ""), RowError{2, "address", "16 hexadecimal", "OOO1"}},
		"no address":                   {buttonRow("", "x", ""), RowError{2, "address", "16 hexadecimal", "nothing"}},
		"a shortened telephone":        {buttonRow(eui, "x", "1.38E+10"), RowError{2, "person_phone", "format the column", "put in its place"}},
		"a telephone that is a float":  {buttonRow(eui, "x", "13816000001.0"), RowError{2, "person_phone", "telephone", "another"}},
		"a telephone without its zero": {buttonRow(eui, "x", "2158881234"), RowError{2, "person_phone", "telephone", "another"}},
		"a telephone with O":           {buttonRow(eui, "x", "138160OOO01"), RowError{2, "person_phone", "telephone", "another"}},
		"two telephones":               {buttonRow(eui, "x", "13816000001/13816000002"), RowError{2, "person_phone", "telephone", "another"}},
		"a column that is too narrow":  {buttonRow(eui, "########", ""), RowError{2, "name", "format the column", "####"}},
		"no value":                     {buttonRow(eui, "#N/A", ""), RowError{2, "name", "format the column", "#N/A"}},
		"a broken reference":           {buttonRow(eui, "#REF!", ""), RowError{2, "name", "format the column", "#REF!"}},
		"a name that became a number":  {buttonRow(eui, "1.2E+5", ""), RowError{2, "name", "format the column", "1.2E+5"}},
		"a cell beside the table":      {"id,kind,\na,garage,x\n", RowError{2, "", "nothing in a column without a name", "a text"}},
		"a position of zeros":          {"id,kind,lat,lon\na,garage,0,0\n", RowError{2, "lat", "empty cell", "0, 0"}},
		"one coordinate of zero":       {"id,kind,lat,lon\na,garage,31.2,0.000\n", RowError{2, "lat", "empty cell", "31.2, 0.000"}},
		"a shifted system":             {"id,kind,lat,lon,crs\na,garage,31.2,121.5,BD-09\n", RowError{2, "crs", "wgs84", "BD-09"}},
		"one address twice":            {buttonRow(eui, "x", "") + "b2,emergency_button,milesight-ws101,24:E1:24:12:34:FF:00:01,,,,,secret-of-b2\n", RowError{2, "address", "no other device", eui}},
		"settings of no model":         {"id,kind,model,address,settings\nb,,milesight-em310-udl," + eui + ",empty=1200\n", RowError{2, "settings", "want", "empty=1200"}},
		"rows after the separator":     {"sep=;\nid;kind\n?;garage\n", RowError{3, "id", "letters", "?"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := openTest(t)
			_, err := importCSV(t, r, tc.file)
			faults, ok := err.(ImportErrors) //nolint:errorlint // it is what ImportCSV gives
			if !ok || len(r.View().Devices()) > 0 {
				t.Fatalf("error %v, %d devices", err, len(r.View().Devices()))
			}
			got := faults[0]
			if got.Row != tc.want.Row || got.Column != tc.want.Column || !strings.Contains(got.Error(), tc.want.Want) || !strings.Contains(got.Got, tc.want.Got) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAddressesGetTheFormOfTheirProfile(t *testing.T) {
	for _, written := range []string{
		"24E1241234FF0002", "24-E1-24-12-34-FF-00-02", "24:e1:24:12:34:ff:00:02", "24E1 2412 34FF 0002", "0x24e1241234ff0002", "24e1.2412.34ff.0002",
	} {
		r := openTest(t)
		_, err := importCSV(t, r, buttonRow(written, "x", ""))
		check(t, err)
		if d, _ := r.View().Device("b1"); d.Address != "24e1241234ff0002" {
			t.Errorf("%s is registered as %q", written, d.Address)
		}
	}
}

func TestTelephonesHaveOneForm(t *testing.T) {
	for written, want := range map[string]string{
		"":                    "",
		"138 1600 0001":       "13816000001",
		"138-1600-0001":       "13816000001",
		"１３８１６０００００１":         "13816000001",
		"+86 138 1600 0001":   "+8613816000001",
		"0086 13816000001":    "+8613816000001",
		"021-58881234":        "02158881234",
		"(021) 5888-1234":     "02158881234",
		"（021）58881234":       "02158881234",
		"+86 (0)21 5888 1234": "+862158881234",
		"021-58881234-8001":   "02158881234-8001",
		"021-58881234转8001":   "02158881234-8001",
		"58881234":            "58881234",
		"400-820-8820":        "4008208820",
		"110":                 "110",
		"12345":               "12345",
		"95598":               "95598",
		"+44 20 7946 0000":    "+442079460000",
		"13816000001\u200b":   "13816000001",
	} {
		got, ok := normalPhone(written)
		again, still := normalPhone(got)
		if !ok || got != want || !still || again != got {
			t.Errorf("%q is %q (%v), again %q (%v); want %q", written, got, ok, again, still, want)
		}
	}
	for _, none := range []string{
		"1.38E+10", "1381600000", "138160000012", "2158881234", "138160OOO01", "l3816000001", "无", "####", "13816000001 13816000002", "+", "-1", "0",
	} {
		if got, ok := normalPhone(none); ok {
			t.Errorf("%q is taken for the telephone %q", none, got)
		}
	}
}

func TestNamesOfCoordinateSystems(t *testing.T) {
	for _, plain := range []string{
		"wgs84", "WGS-84", "WGS 84", "wgs_84", "WGS1984", "GCS_WGS_1984", "EPSG:4326", "epsg 4326", "4326", "urn:ogc:def:crs:EPSG::4326",
		"urn:ogc:def:crs:OGC:1.3:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/EPSG/0/4326", "CGCS2000",
		"CGCS 2000", "EPSG:4490", "2000国家大地坐标系", "ＷＧＳ84",
	} {
		if !unshifted(plain) {
			t.Errorf("%s is refused", plain)
		}
	}
	for _, shifted := range []string{"gcj02", "GCJ-02", "bd09", "BD-09LL", "EPSG:3857", "beijing54", "xian80", "EPSG:4214", "x"} {
		if unshifted(shifted) {
			t.Errorf("%s is taken for WGS 84", shifted)
		}
	}
}

func TestWordsForYesAndNo(t *testing.T) {
	r := openTest(t)
	_, err := importCSV(t, r, "编号,类型,停用,供电\na,garage,是,市电\nb,garage,否,电池\nc,garage,TRUE,mains\nd,garage,,\n")
	check(t, err)
	for id, want := range map[string]bool{"a": true, "b": false, "c": true, "d": false} {
		if d, _ := r.View().Device(id); d.OutOfService != want {
			t.Errorf("%s out of service: %v", id, d.OutOfService)
		}
	}
	if d, _ := r.View().Device("a"); d.Power != telemetry.Mains {
		t.Errorf("power %q", d.Power)
	}
}
