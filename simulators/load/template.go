package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"watchhouse/simulators/packet"
)

// firstSeq keeps the sequence number at ten digits, so that a packet is patched in place.
const firstSeq = 1_000_000_000

// template is an encoded PUBLISH (QoS 1) whose packet id, time and sequence number are patched for each message.
type template struct {
	bytes       []byte
	id, ts, seq int    // offsets
	noise       []byte // the part of bytes that is random in each message
	next        uint32
}

// channelCall is the event topic with calls for help.
const channelCall = "call"

// newTemplate makes a telemetry message of about size bytes of payload for a device; the rest of the size is filled with a metric.
// Its temperature is one that the window rules of safety houses are judged by. random fills it with digits that differ.
func newTemplate(device string, cfg Throughput) *template {
	channel, size, kind := cfg.Channel, cfg.Payload, "test"
	if channel == channelCall {
		channel, kind = "event", "sos"
	}
	payload := fmt.Sprintf(`{"ts":1000000000000,"seq":%d,"temp_c":21.5,"rssi_dbm":-91}`, firstSeq)
	if channel == "event" {
		payload = fmt.Sprintf(`{"type":%q,"ts":1000000000000,"seq":%d}`, kind, firstSeq)
	}
	if pad := size - len(payload) - len(`,"pad":1`); pad >= 0 {
		fill, before := " ", ""
		if cfg.Random && pad >= len("0.") {
			fill, before = "9", "0."
		}
		payload = payload[:len(payload)-1] + `,"pad":` + before + strings.Repeat(fill, pad-len(before)) + `1}`
	}
	topic := "wh/v1/" + device + "/" + channel
	wire := packet.Publish{Topic: topic, Payload: []byte(payload), QoS: 1}.Append(nil)
	text := string(wire)
	t := &template{
		bytes: wire, id: len(wire) - len(payload) - 2,
		ts: strings.Index(text, `"ts":`) + 5, seq: strings.Index(text, `"seq":`) + 6, next: firstSeq,
	}
	if at := strings.Index(text, `"pad":0.`); at >= 0 {
		t.noise = wire[at+len(`"pad":0.`) : len(wire)-len(`1}`)]
	}
	return t
}

// appendMessage encodes the next message behind b. ms must have 13 digits (until the year 2286).
func (t *template) appendMessage(b []byte, id uint16, ms int64) []byte {
	binary.BigEndian.PutUint16(t.bytes[t.id:], id)
	strconv.AppendInt(t.bytes[t.ts:t.ts], ms, 10)
	strconv.AppendUint(t.bytes[t.seq:t.seq], uint64(t.next), 10)
	t.next++
	for i := range t.noise {
		t.noise[i] = '0' + byte(rand.N(10))
	}
	return append(b, t.bytes...)
}
