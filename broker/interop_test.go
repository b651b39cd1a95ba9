package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
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
	pubTool, subTool := tool(t, "mosquitto_pub", "mosquitto-clients"), tool(t, "mosquitto_sub", "mosquitto-clients")
	h := start(t)
	host, port, err := net.SplitHostPort(h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	run := func(name, user string, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, name, append([]string{"-h", host, "-p", port, "-u", user, "-P", "secret-" + user, "-t", "wh/v1/btn-1/event"}, args...)...)
	}
	var want []string
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
	h.expectEvents(want...)
	if out, err := run(pubTool, "btn-1", "-V", "mqttv311", "-q", "1", "-m", "no -i").CombinedOutput(); err != nil {
		t.Errorf("without a client id: %v %s", err, out)
	}
	if out, err := run(pubTool, "btn-2", "-i", "btn-2", "-P", "wrong", "-m", "x").CombinedOutput(); err == nil {
		t.Errorf("a wrong secret was taken: %s", out)
	}
}

// urls are the two ways in.
func (h *house) urls() []string {
	return []string{"tcp://" + h.Addr(), "ws://" + h.WebSocketAddr() + "/mqtt"}
}

func TestInteropPahoV3(t *testing.T) {
	h := start(t)
	var want []string
	for _, u := range h.urls() {
		for qos := range byte(3) {
			eye, button := pahoV3(t, u, "eye"), pahoV3(t, u, "btn-1")
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

func pahoV3(t *testing.T, broker, user string) v3.Client {
	t.Helper()
	o := v3.NewClientOptions().AddBroker(broker).SetClientID(user).SetUsername(user).SetPassword("secret-" + user)
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

func TestInteropPahoV5(t *testing.T) {
	h := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var want []string
	for _, u := range h.urls() {
		for qos := range byte(3) {
			got := make(chan *paho.Publish, 1)
			eye, button := pahoV5(ctx, t, u, "eye", got), pahoV5(ctx, t, u, "btn-1", nil)
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

func pahoV5(ctx context.Context, t *testing.T, broker, user string, got chan<- *paho.Publish) *paho.Client {
	t.Helper()
	conn, err := dialURL(ctx, broker)
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

func dialURL(ctx context.Context, broker string) (net.Conn, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "tcp" {
		return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	}
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}}
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
	h := start(t)
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
	play := exec.CommandContext(ctx, node, "roundtrip.js", h.Addr(), h.WebSocketAddr())
	play.Dir = dir
	out, err := play.Output()
	if err != nil {
		var said []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			said = exit.Stderr
		}
		t.Fatalf("MQTT.js: %v\n%s%s", err, out, said)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 12 || !json.Valid([]byte(lines[0])) {
		t.Errorf("MQTT.js said %q", out)
	}
	h.expectEvents(lines...)
}
