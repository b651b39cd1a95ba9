package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreValid(t *testing.T) {
	cfg, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.HTTP == "" || cfg.MQTT.TCP == "" || cfg.Journal.Retention != 7*24*time.Hour {
		t.Errorf("defaults are not complete: %+v", cfg)
	}
}

func TestAnEmptyFileIsAWorkingHub(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n"} {
		if _, err := Load(file(t, text), nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTheEnvironmentOverridesTheFile(t *testing.T) {
	name := file(t, "http: 127.0.0.1:1\nmqtt:\n  tcp: 127.0.0.1:2\n  max_connections: 10\njournal:\n  retention: 1h\n")
	cfg, err := Load(name, []string{"WATCHHOUSE_HTTP=127.0.0.1:3", "WATCHHOUSE_MQTT_MAX_CONNECTIONS=20", "WATCHHOUSE_JOURNAL_RETENTION=2h", "HOME=/", "WATCHHOUSE_ADMIN_PASSWORD=x", "WATCHHOUSE_CA_FILE=ca.crt"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.HTTP != "127.0.0.1:3" || cfg.MQTT.TCP != "127.0.0.1:2" || cfg.MQTT.MaxConnections != 20 || cfg.Journal.Retention != 2*time.Hour {
		t.Errorf("have %+v", cfg)
	}
}

// Each error names the place and the key, and says what was expected.
func TestFaultsAreNamedWithTheirPlace(t *testing.T) {
	cases := []struct {
		name, text string
		environ    []string
		want       []string
	}{
		{"misspelt section", "http: 127.0.0.1:1\nmqqt: {}\n", nil, []string{"hub.yaml:2:1", "mqqt"}},
		{"misspelt key", "mqtt:\n  tcpp: 127.0.0.1:1\n", nil, []string{"hub.yaml:2:3", "tcpp"}},
		{"wrong type", "mqtt:\n  max_connections: many\n", nil, []string{"hub.yaml:2:20", "mqtt.max_connections", "whole number", "many"}},
		{"no duration", "http: 127.0.0.1:1\nmqtt:\n  max_keepalive: soon\n", nil, []string{"hub.yaml:3:18", "mqtt.max_keepalive", "duration", "soon"}},
		{"no address", "http: 127.0.0.1:99999\nmqtt:\n  tcp: 7\n", nil, []string{"hub.yaml:1:7", "http: must be", "hub.yaml:3:8", "mqtt.tcp: must be"}},
		{"not YAML", "mqtt: [\n", nil, []string{"hub.yaml:"}},
		{"section without keys", "http: 127.0.0.1:1\nmqtt:\n", nil, []string{"hub.yaml:2:1", "mqtt", "no value"}},
		{"what the decoder cannot bear", "dashboard:\n  trusted_origins:\n    !0 #x\n", nil, []string{"hub.yaml"}},
		{"value out of range", "journal:\n  retention: -1h\n", nil, []string{"hub.yaml:2:14", "journal.retention"}},
		{"two faults at once", "http: nowhere\nlog_level: loud\n", nil, []string{"hub.yaml:1:7", "http", "hub.yaml:2:12", "log_level", "loud"}},
		{"misspelt variable", "", []string{"WATCHHOUSE_MQTT_TPC=:1"}, []string{"WATCHHOUSE_MQTT_TPC"}},
		{"bad variable", "", []string{"WATCHHOUSE_JOURNAL_RETENTION=soon"}, []string{"WATCHHOUSE_JOURNAL_RETENTION", "duration", "soon"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(file(t, c.text), c.environ)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q: want %q in it", err, want)
				}
			}
		})
	}
}

// What other machines reach is encrypted, unless somebody said in so many words that it need not be.
func TestPlainListenersBeyondLoopback(t *testing.T) {
	const tls = "tls: {cert_file: c, key_file: k}\n"
	cases := []struct {
		name, text string
		want       string // of the fault, "" = none
		insecure   string
	}{
		{"defaults", "", "", ""},
		{"loopback", "http: 127.9.9.9:80\nmqtt: {tcp: 'localhost:1883', websocket: '[::1]:8083'}\n", "", ""},
		{"MQTT for all", "mqtt:\n  tcp: 0.0.0.0:1883\n", "hub.yaml:2:8: mqtt.tcp: other machines", ""},
		{"no host is every host", "mqtt:\n  tcp: ':1883'\n", "mqtt.tls", ""},
		{"a network's address", "http: 192.168.1.5:8080\n", "hub.yaml:1:7: http: other machines", ""},
		{"a name may be anything", "http: hub.example:8080\n", "insecure_listeners: true", ""},
		{"WebSocket", "mqtt:\n  websocket: '[::]:8083'\n", "mqtt.websocket: other machines", ""},
		{"accepted", "insecure_listeners: true\nhttp: ':8080'\nmqtt: {tcp: ':1883', websocket: ':8083'}\n", "", "http mqtt.tcp mqtt.websocket"},
		{"HTTPS and WSS", "http: ':443'\nmqtt: {websocket: ':8083', tls: ':8883'}\n" + tls, "", ""},
		{"a certificate does not encrypt TCP", "mqtt: {tcp: ':1883'}\n" + tls, "mqtt.tcp: other machines", ""},
		{"TLS without a certificate", "mqtt: {tls: ':8883'}\n", "mqtt.tls: needs tls.cert_file", ""},
		{"half a certificate", "tls:\n  cert_file: c\n", "tls.key_file: set it too", ""},
		{"a word is no setting", "tls:\n  client_auth: maybe\n", "hub.yaml:2:16: tls.client_auth", ""},
		{"off is a word", "tls:\n  client_auth: off\n", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Load(file(t, c.text), nil)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q in it", err, c.want)
				}
				return
			}
			if got := strings.Join(cfg.Insecure(), " "); err != nil || got != c.insecure {
				t.Errorf("%v, insecure %q, want %q", err, got, c.insecure)
			}
		})
	}
}

func TestTheReferenceIsUpToDate(t *testing.T) {
	var page strings.Builder
	if err := WriteReference(&page); err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if page.String() != string(committed) {
		t.Error("docs/configuration.md is stale: run make docs")
	}
}

func TestEveryDescriptionHasItsKey(t *testing.T) {
	known := map[string]bool{}
	for _, key := range Keys() {
		known[key.Path] = true
	}
	for line := range strings.Lines(string(descriptions)) {
		if key, _, ok := strings.Cut(line, ": "); ok && !known[key] {
			t.Errorf("descriptions.yaml describes %s, which is no key", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("http: 127.0.0.1:1\nmqtt:\n  tcp: :1\n"))
	f.Add([]byte("journal: {retention: 1h}\n"))
	f.Add([]byte("dashboard:\n  trusted_origins: [https://a.example]\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		cfg, err := Parse("fuzz.yaml", text)
		if err == nil {
			_ = cfg.Validate() // must not panic, whatever was set
		}
	})
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hub.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
