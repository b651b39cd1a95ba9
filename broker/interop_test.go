package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	v3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"

	"watchhouse/certs"
	"watchhouse/journal"
)

// tool finds a program that the tests of interoperability need. Its absence is a failure: nothing here is optional.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", name, pkg)
	}
	return path
}

// expectEvents checks that the event lane holds these payloads, in order.
func (h *house) expectEvents(want ...string) {
	h.t.Helper()
	var got []string
	eventually(h.t, fmt.Sprintf("%d events in the journal", len(want)), func() bool {
		got = nil
		for _, e := range h.stored(journal.EventLane) {
			got = append(got, string(e.Payload))
		}
		return len(got) >= len(want)
	})
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.t.Errorf("journal has\n%v, want\n%v", got, want)
	}
}

func TestInteropMosquitto(t *testing.T) {
	h := startTLS(t, nil, "btn-1")
	over := map[string][]string{
		h.Addr():    nil,
		h.TLSAddr(): {"--cafile", h.certificates.path(certs.AuthorityCert)},
	}
	var want []string
	for addr, args := range over {
		want = append(want, mosquittoRoundtrips(t, h, addr, args...)...)
	}
	h.expectEvents(want...)
	mosquitto := mosquittoTool(t, h.TLSAddr(), append(over[h.TLSAddr()],
		"--cert", h.certificates.path("device-btn-1.crt"), "--key", h.certificates.path("device-btn-1.key"), "-m", "x", "-q", "1")...)
	if out, err := mosquitto("mosquitto_pub", "btn-1").CombinedOutput(); err != nil {
		t.Errorf("with a certificate instead of a secret: %v %s", err, out)
	}
	if out, err := mosquitto("mosquitto_pub", "btn-2").CombinedOutput(); err == nil {
		t.Errorf("another's certificate was taken: %s", out)
	}
}

// mosquittoTool prepares a command of mosquitto-clients that speaks to addr as a user, without a secret.
func mosquittoTool(t *testing.T, addr string, always ...string) func(name, user string, args ...string) *exec.Cmd {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return func(name, user string, args ...string) *exec.Cmd {
		base := append([]string{"-h", host, "-p", port, "-u", user, "-t", "wh/v1/btn-1/event"}, always...)
		return exec.CommandContext(ctx, tool(t, name, "mosquitto-clients"), append(base, args...)...)
	}
}

// mosquittoRoundtrips sends an event in every version and QoS and has it received; it gives the payloads.
func mosquittoRoundtrips(t *testing.T, h *house, addr string, args ...string) (want []string) {
	t.Helper()
	const pubTool, subTool = "mosquitto_pub", "mosquitto_sub"
	bare := mosquittoTool(t, addr, args...)
	run := func(name, user string, args ...string) *exec.Cmd {
		return bare(name, user, append([]string{"-P", "secret-" + user}, args...)...)
	}
	for _, version := range []string{"mqttv311", "mqttv5"} {
		for qos := range 3 {
			q, payload := fmt.Sprint(qos), fmt.Sprintf(`{"type":"test","version":%q,"qos":%d}`, version, qos)
			var got bytes.Buffer
			sub := run(subTool, "eye", "-i", "eye", "-V", version, "-q", q, "-C", "1", "-F", "%q %p")
			sub.Stdout = &got
			if err := sub.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "mosquitto_sub has subscribed", h.fanout.wanted)
			if out, err := run(pubTool, "btn-1", "-i", "btn-1", "-V", version, "-q", q, "-m", payload).CombinedOutput(); err != nil {
				t.Errorf("%s qos %d: mosquitto_pub: %v %s", version, qos, err, out)
			}
			if err := sub.Wait(); err != nil || strings.TrimSpace(got.String()) != q+" "+payload {
				t.Errorf("%s qos %d: mosquitto_sub: %v %q", version, qos, err, got.String())
			}
			eventually(t, "mosquitto_sub is gone", func() bool { return !h.fanout.wanted() })
			want = append(want, payload)
		}
	}
	if out, err := run(pubTool, "btn-1", "-V", "mqttv311", "-q", "1", "-m", "no -i").CombinedOutput(); err != nil {
		t.Errorf("without a client id: %v %s", err, out)
	}
	if out, err := run(pubTool, "btn-2", "-i", "btn-2", "-P", "wrong", "-m", "x").CombinedOutput(); err == nil {
		t.Errorf("a wrong secret was taken: %s", out)
	}
	return append(want, "no -i")
}

// urls are the two ways in, those of a house with certificates encrypted.
func (h *house) urls() []string {
	if h.certificates != nil {
		return []string{"ssl://" + h.TLSAddr(), "wss://" + h.WebSocketAddr() + "/mqtt"}
	}
	return []string{"tcp://" + h.Addr(), "ws://" + h.WebSocketAddr() + "/mqtt"}
}

// clientTLS is what a client of this house needs to trust it, nil without certificates.
func (h *house) clientTLS() *tls.Config {
	if h.certificates == nil {
		return nil
	}
	return h.certificates.client("")
}

func TestInteropPahoV3(t *testing.T)    { interopPahoV3(t, start(t)) }
func TestInteropPahoV3TLS(t *testing.T) { interopPahoV3(t, startTLS(t, nil)) }

func interopPahoV3(t *testing.T, h *house) {
	var want []string
	for _, u := range h.urls() {
		for qos := range byte(3) {
			eye, button := pahoV3(t, h, u, "eye"), pahoV3(t, h, u, "btn-1")
			got := make(chan v3.Message, 1)
			await(t, eye.Subscribe("wh/v1/btn-1/event", qos, func(_ v3.Client, m v3.Message) { got <- m }))
			payload := fmt.Sprintf(`{"via":%q,"qos":%d}`, u[:3], qos)
			await(t, button.Publish("wh/v1/btn-1/event", qos, false, payload))
			select {
			case m := <-got:
				if string(m.Payload()) != payload || m.Qos() != qos {
					t.Errorf("%s qos %d: got %s qos %d", u, qos, m.Payload(), m.Qos())
				}
			case <-time.After(patient10):
				t.Errorf("%s qos %d: nothing came", u, qos)
			}
			eye.Disconnect(100)
			button.Disconnect(100)
			want = append(want, payload)
		}
	}
	h.expectEvents(want...)
}

func pahoV3(t *testing.T, h *house, broker, user string) v3.Client {
	t.Helper()
	o := v3.NewClientOptions().AddBroker(broker).SetClientID(user).SetUsername(user).SetPassword("secret-" + user)
	o.SetTLSConfig(h.clientTLS())
	c := v3.NewClient(o.SetAutoReconnect(false).SetProtocolVersion(4))
	await(t, c.Connect())
	return c
}

func await(t *testing.T, token v3.Token) {
	t.Helper()
	if !token.WaitTimeout(patient10) || token.Error() != nil {
		t.Fatalf("paho: %v", token.Error())
	}
}

func TestInteropPahoV5(t *testing.T)    { interopPahoV5(t, start(t)) }
func TestInteropPahoV5TLS(t *testing.T) { interopPahoV5(t, startTLS(t, nil)) }

func interopPahoV5(t *testing.T, h *house) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var want []string
	for _, u := range h.urls() {
		for qos := range byte(3) {
			got := make(chan *paho.Publish, 1)
			eye, button := pahoV5(ctx, h, u, "eye", got), pahoV5(ctx, h, u, "btn-1", nil)
			filter := paho.SubscribeOptions{Topic: "wh/v1/btn-1/event", QoS: qos}
			if _, err := eye.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{filter}}); err != nil {
				t.Fatal(err)
			}
			payload := fmt.Sprintf(`{"via":%q,"qos":%d}`, u[:3], qos)
			if _, err := button.Publish(ctx, &paho.Publish{Topic: "wh/v1/btn-1/event", QoS: qos, Payload: []byte(payload)}); err != nil {
				t.Errorf("%s qos %d: %v", u, qos, err)
			}
			select {
			case m := <-got:
				if string(m.Payload) != payload || m.QoS != qos {
					t.Errorf("%s qos %d: got %s qos %d", u, qos, m.Payload, m.QoS)
				}
			case <-ctx.Done():
				t.Fatalf("%s qos %d: nothing came", u, qos)
			}
			for _, c := range []*paho.Client{eye, button} {
				if err := c.Disconnect(&paho.Disconnect{}); err != nil {
					t.Error(err)
				}
				<-c.Done()
			}
			want = append(want, payload)
		}
	}
	h.expectEvents(want...)
}

func pahoV5(ctx context.Context, h *house, broker, user string, got chan<- *paho.Publish) *paho.Client {
	t := h.t
	t.Helper()
	conn, err := dialURL(ctx, broker, h.clientTLS())
	if err != nil {
		t.Fatal(err)
	}
	receive := func(m paho.PublishReceived) (bool, error) {
		got <- m.Packet
		return true, nil
	}
	c := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), OnPublishReceived: []func(paho.PublishReceived) (bool, error){receive}})
	connect := &paho.Connect{ClientID: user, Username: user, UsernameFlag: true, Password: []byte("secret-" + user), PasswordFlag: true, CleanStart: true, KeepAlive: 30}
	if _, err := c.Connect(ctx, connect); err != nil {
		t.Fatal(err)
	}
	return c
}

func dialURL(ctx context.Context, broker string, over *tls.Config) (net.Conn, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "tcp":
		return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	case "ssl":
		return (&tls.Dialer{Config: over}).DialContext(ctx, "tcp", u.Host)
	}
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: over}
	ws, _, err := d.DialContext(ctx, broker, nil)
	if err != nil {
		return nil, err
	}
	return clientSocket{&wsSocket{ws: ws}}, nil
}

// clientSocket makes the broker's own adapter a net.Conn for paho.
type clientSocket struct{ *wsSocket }

func (clientSocket) SetDeadline(time.Time) error { return nil }

func (s clientSocket) Write(p []byte) (int, error) {
	if err := s.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestInteropMQTTjs(t *testing.T) {
	npm, node := tool(t, "npm", "npm"), tool(t, "node", "nodejs")
	h := startTLS(t, nil)
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "roundtrip.js"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "mqttjs", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	play := exec.CommandContext(ctx, node, "roundtrip.js", "mqtt://"+h.Addr(), "mqtts://"+h.TLSAddr(), "wss://"+h.WebSocketAddr()+"/mqtt", "ws://"+h.plainWebSocket()+"/mqtt")
	play.Dir = dir
	play.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+h.certificates.path(certs.AuthorityCert))
	out, err := play.Output()
	if err != nil {
		var said []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			said = exit.Stderr
		}
		t.Fatalf("MQTT.js: %v\n%s%s", err, out, said)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 24 || !json.Valid([]byte(lines[0])) {
		t.Errorf("MQTT.js said %q", out)
	}
	h.expectEvents(lines...)
}

// plainWebSocket serves WebSocket without TLS, as the hub does behind a proxy.
func (h *house) plainWebSocket() string {
	server := httptest.NewServer(h.WebSocketHandler())
	h.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
