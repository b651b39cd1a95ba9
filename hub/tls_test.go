package hub_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"

	"watchhouse/certs"
	"watchhouse/config"
	"watchhouse/internal/testkit"
	"watchhouse/telemetry"
)

// secureHub is a hub with HTTPS and MQTT over TLS, and the folder of its authority.
type secureHub struct {
	*testkit.Hub
	t     *testing.T
	dir   string
	trust *tls.Config
}

func startSecure(t *testing.T, adjust ...func(*config.Config)) *secureHub {
	t.Helper()
	s := &secureHub{t: t, dir: t.TempDir()}
	s.must(certs.Init(s.dir, []string{"127.0.0.1"}, false))
	s.must(os.WriteFile(s.path("revoked"), nil, 0o600))
	s.Hub = testkit.StartHub(t, func(c *config.Config) {
		c.MQTT.TLS = "127.0.0.1:0"
		c.TLS.CertFile, c.TLS.KeyFile, c.TLS.ClientCAFile = s.path(certs.ServerCert), s.path(certs.ServerKey), s.path(certs.AuthorityCert)
		c.TLS.RevokedFile = s.path("revoked")
		for _, change := range adjust {
			change(c)
		}
	})
	text, err := os.ReadFile(s.path(certs.AuthorityCert))
	s.must(err)
	s.trust = &tls.Config{RootCAs: x509.NewCertPool()}
	s.trust.RootCAs.AppendCertsFromPEM(text)
	return s
}

// TestNoWayAroundTheCertificate: where every device must show one, the page's address, which asks nobody, takes no MQTT.
func TestNoWayAroundTheCertificate(t *testing.T) {
	for word, want := range map[string]int{certs.ClientAuthOptional: http.StatusBadRequest, certs.ClientAuthRequired: http.StatusForbidden} {
		s := startSecure(t, func(c *config.Config) { c.TLS.ClientAuth = word })
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.trust, DisableKeepAlives: true}}
		answer, err := client.Get("https://" + s.HTTPAddr() + "/mqtt")
		s.must(err)
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("client_auth %s: /mqtt on the page's address answers %d, want %d", word, answer.StatusCode, want)
		}
	}
}

func (s *secureHub) path(name string) string { return filepath.Join(s.dir, name) }

func (s *secureHub) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// serial is the serial number of the certificate that a new connection to addr is shown.
func (s *secureHub) serial(addr string) string {
	s.t.Helper()
	c, err := tls.Dial("tcp", addr, s.trust)
	s.must(err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// device connects over broker's scheme with options that may be adjusted, and tells lost when the connection breaks.
func (s *secureHub) device(broker, id string, trust *tls.Config, lost *atomic.Int64) mqtt.Client {
	s.t.Helper()
	o := mqtt.NewClientOptions().AddBroker(broker).SetClientID(id).SetUsername(id).SetTLSConfig(trust).SetAutoReconnect(false)
	if len(trust.Certificates) == 0 {
		o.SetPassword(testkit.Secret)
	}
	o.SetConnectionLostHandler(func(mqtt.Client, error) { lost.Add(1) })
	c := mqtt.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		s.t.Fatalf("connect %s: %v", id, token.Error())
	}
	s.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// Renewed certificates, and broken ones, cost nobody a connection and the journal nothing.
func TestCertificatesAreReloadedUnderLoad(t *testing.T) {
	s := startSecure(t)
	s.AddDevices(telemetry.SafetyHouse, "house-1")
	var lost atomic.Int64
	device := s.device("ssl://"+s.MQTTTLSAddr(), "house-1", s.trust, &lost)
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { sent <- n }()
		for ; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			token := device.Publish("wh/v1/house-1/event", 1, false, fmt.Sprintf(`{"type":"presence","boot":1,"seq":%d}`, n))
			if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
				t.Errorf("publish %d: %v", n, token.Error())
				return
			}
		}
	}()
	first := s.serial(s.MQTTTLSAddr())
	for range 20 {
		s.must(certs.Renew(s.dir, nil))
		s.ReloadCertificates()
	}
	renewed := s.serial(s.MQTTTLSAddr())
	if renewed == first || s.serial(s.HTTPAddr()) != renewed || s.serial(s.MQTTWebSocketAddr()) != renewed {
		t.Error("new connections are not shown the new certificate")
	}
	s.must(os.WriteFile(s.path(certs.ServerCert), []byte("half a certificate"), 0o600))
	s.ReloadCertificates()
	if s.serial(s.MQTTTLSAddr()) != renewed {
		t.Error("a broken file took the certificate away")
	}
	if text := s.get("/readyz"); !strings.Contains(text, `"ready":true`) || !strings.Contains(text, "certificates not reloaded") {
		t.Errorf("readyz %s", text)
	}
	if text := s.get("/metrics"); !strings.Contains(text, "watchhouse_tls_reload_failures_total 1") || !strings.Contains(text, "watchhouse_tls_not_after_seconds ") {
		t.Error("no metrics of certificates")
	}
	close(stop)
	n := <-sent
	if lost.Load() != 0 || n == 0 {
		t.Errorf("%d connections lost, %d acknowledged", lost.Load(), n)
	}
	if kept := s.events(); kept != n {
		t.Errorf("%d events in the journal, %d were acknowledged", kept, n)
	}
}

// events counts what devices published on the event lane.
func (s *secureHub) events() int {
	s.t.Helper()
	var list struct {
		Items []struct {
			Kind string `json:"kind"`
		} `json:"items"`
		Next string `json:"next"`
	}
	client, n := s.operator(), 0
	for cursor := ""; ; cursor = list.Next {
		list.Items = nil
		text := s.fetch(client, "/api/v1/journal?lane=event&limit=500&cursor="+cursor)
		s.must(json.Unmarshal([]byte(text), &list))
		for _, e := range list.Items {
			if e.Kind == "publish" {
				n++
			}
		}
		if list.Next == "" || len(list.Items) == 0 {
			return n
		}
	}
}

func (s *secureHub) client() *http.Client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	s.must(err)
	transport := &http.Transport{TLSClientConfig: s.trust.Clone(), ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar}
}

func (s *secureHub) fetch(c *http.Client, path string) string {
	s.t.Helper()
	r, err := c.Get("https://" + s.HTTPAddr() + path)
	s.must(err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	s.must(err)
	return string(text)
}

func (s *secureHub) get(path string) string { s.t.Helper(); return s.fetch(s.client(), path) }

// operator is signed in.
func (s *secureHub) operator() *http.Client {
	s.t.Helper()
	c := s.client()
	body := strings.NewReader(`{"user":"admin","password":"` + testkit.Password + `"}`)
	r, err := c.Post("https://"+s.HTTPAddr()+"/api/v1/login", "application/json", body)
	s.must(err)
	defer r.Body.Close()
	insecure := func(c *http.Cookie) bool { return !c.Secure }
	if r.StatusCode != http.StatusOK || len(r.Cookies()) == 0 || slices.ContainsFunc(r.Cookies(), insecure) {
		s.t.Fatalf("sign-in: %d, cookies %v: want secure ones", r.StatusCode, r.Cookies())
	}
	return c
}

func TestThePageOverHTTPS(t *testing.T) {
	s := startSecure(t)
	c := s.operator()
	if text := s.fetch(c, "/api/v1/me"); !strings.Contains(text, `"secure":true`) {
		t.Errorf("me: %s", text)
	}
	r, err := c.Get("https://" + s.HTTPAddr() + "/")
	s.must(err)
	r.Body.Close()
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "wss://"+s.HTTPAddr()) || strings.Contains(policy, "ws://"+s.HTTPAddr()+" ") || r.ProtoMajor != 2 {
		t.Errorf("HTTP/%d, policy %q", r.ProtoMajor, policy)
	}
	if plain, err := http.Get("http://" + s.HTTPAddr() + "/"); err != nil || plain.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v, %v", plain, err)
	} else {
		plain.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}

// The stream takes the page's own origin, which is of HTTPS now.
func TestTheStreamOverWSS(t *testing.T) {
	s := startSecure(t)
	c := s.operator()
	d := websocket.Dialer{Subprotocols: []string{"watchhouse.v1"}, TLSClientConfig: s.trust, Jar: c.Jar}
	for origin, taken := range map[string]bool{"https://": true, "http://": false} {
		ws, r, err := d.Dial("wss://"+s.HTTPAddr()+"/api/v1/stream", http.Header{"Origin": {origin + s.HTTPAddr()}})
		if (err == nil) != taken || !taken && r.StatusCode != http.StatusForbidden {
			t.Errorf("from %s: %v", origin, err)
		}
		if err == nil {
			s.must(ws.WriteMessage(websocket.TextMessage, []byte(`{"t":"hello","epoch":"","seq":0,"tab":"1"}`)))
			if _, text, err := ws.ReadMessage(); err != nil || !strings.Contains(string(text), "welcome") {
				t.Errorf("first frame %s, %v", text, err)
			}
			ws.Close()
		}
	}
}

// withCertificate is what a device of this id needs to sign in with a certificate, and the fingerprint of that.
func (s *secureHub) withCertificate(id string) (own *tls.Config, fingerprint string) {
	s.t.Helper()
	fingerprint, err := certs.Device(s.dir, id, 30, false)
	s.must(err)
	pair, err := tls.LoadX509KeyPair(s.path("device-"+id+".crt"), s.path("device-"+id+".key"))
	s.must(err)
	own = s.trust.Clone()
	own.Certificates = []tls.Certificate{pair}
	return own, fingerprint
}

func TestARevokedCertificateEndsItsConnectionOnly(t *testing.T) {
	s := startSecure(t)
	s.AddDevices(telemetry.EmergencyButton, "btn-1", "btn-2")
	var lost, kept atomic.Int64
	first, fingerprint := s.withCertificate("btn-1")
	second, _ := s.withCertificate("btn-2")
	s.device("ssl://"+s.MQTTTLSAddr(), "btn-1", first, &lost)
	s.device("ssl://"+s.MQTTTLSAddr(), "btn-2", second, &kept)
	s.must(os.WriteFile(s.path("revoked"), []byte(fingerprint), 0o600))
	s.ReloadCertificates()
	testkit.Eventually(t, 10*time.Second, func() string {
		if lost.Load() == 1 {
			return ""
		}
		return "the connection of the revoked certificate is open"
	})
	if kept.Load() != 0 {
		t.Error("another's connection was lost")
	}
}

// A device signs in with its certificate over TLS; on the page's address it needs its secret.
func TestDevicesOverTLS(t *testing.T) {
	s := startSecure(t)
	s.AddDevices(telemetry.EmergencyButton, "btn-1", "btn-2")
	own, _ := s.withCertificate("btn-1")
	var lost atomic.Int64
	for _, c := range []mqtt.Client{
		s.device("ssl://"+s.MQTTTLSAddr(), "btn-1", own, &lost),
		s.device("wss://"+s.HTTPAddr()+"/mqtt", "btn-2", s.trust, &lost),
	} {
		options := c.OptionsReader()
		id := options.ClientID()
		if token := c.Publish("wh/v1/"+id+"/event", 1, false, `{"type":"test"}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Errorf("%s: %v", id, token.Error())
		}
	}
	s.must(s.Registry().DeleteDevice(t.Context(), "test", "btn-1"))
	testkit.Eventually(t, 10*time.Second, func() string {
		if lost.Load() == 1 {
			return ""
		}
		return "the deleted device is still connected"
	})
}

func TestPlainListenersBeyondLoopbackShow(t *testing.T) {
	h := testkit.StartHub(t, func(c *config.Config) { c.MQTT.TCP, c.InsecureListeners = "0.0.0.0:0", true })
	var ready struct {
		Insecure []string `json:"insecure"`
	}
	operator := h.SignIn("admin", testkit.Password)
	operator.Want(http.StatusOK, "GET", "/readyz", nil, &ready)
	if len(ready.Insecure) != 1 || ready.Insecure[0] != "mqtt.tcp" {
		t.Errorf("readyz: insecure %v", ready.Insecure)
	}
	if status, text := operator.Do("GET", "/api/v1/me", nil); status != http.StatusOK || !strings.Contains(string(text), `"secure":false`) {
		t.Errorf("me: %d %s", status, text)
	}
	if _, text := operator.Do("GET", "/metrics", nil); !strings.Contains(string(text), "watchhouse_insecure_listeners 1\n") {
		t.Error("no metric of insecure listeners")
	}
	quiet := testkit.StartHub(t).SignIn("admin", testkit.Password)
	if _, text := quiet.Do("GET", "/api/v1/me", nil); !strings.Contains(string(text), `"secure":true`) {
		t.Errorf("me on loopback: %s", text)
	}
}
