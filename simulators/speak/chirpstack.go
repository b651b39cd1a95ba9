package speak

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"watchhouse/simulators/device"
)

// application is where all simulated devices of a ChirpStack server are.
const application = "5f0c2b1e-8d3a-4c6f-9a70-1b2c3d4e5f60"

// lora is a device behind a ChirpStack server.
type lora struct {
	id, eui, model string
	body           func(state) words
}

func (l *lora) Topic() string { return "application/" + application + "/device/" + l.eui + "/event/up" }

// Say makes an uplink. Status is the business of the server, which has no word for it.
func (l *lora) Say(m device.Message) (device.Message, bool) {
	if !measures(m) {
		return m, false
	}
	w := l.body(stateOf(m))
	if w.fields == nil {
		return m, false
	}
	up := l.uplink(m, w.fields)
	said := device.Reading{TS: m.TS, Values: map[string]float64{"rssi_dbm": float64(up.RxInfo[0].RSSI)}}
	if up.RxInfo[0].SNR != 0 { // proto3 leaves a 0 out, and nobody makes one up
		said.Values["snr_db"] = up.RxInfo[0].SNR
	}
	maps.Copy(said.Values, w.means)
	return reply(m, l.Topic(), up, said), true
}

// uplink is the JSON of an UplinkEvent, without the fields that a codec leaves empty.
type uplink struct {
	DeduplicationID string         `json:"deduplicationId"`
	Time            string         `json:"time"`
	DeviceInfo      deviceInfo     `json:"deviceInfo"`
	DevAddr         string         `json:"devAddr"`
	ADR             bool           `json:"adr,omitempty"`
	DR              int            `json:"dr,omitempty"`
	FCnt            uint32         `json:"fCnt,omitempty"`
	FPort           int            `json:"fPort,omitempty"`
	Confirmed       bool           `json:"confirmed,omitempty"`
	Object          map[string]any `json:"object,omitempty"`
	RxInfo          []rxInfo       `json:"rxInfo"`
	TxInfo          txInfo         `json:"txInfo"`
}

type deviceInfo struct {
	TenantName        string `json:"tenantName"`
	ApplicationID     string `json:"applicationId"`
	ApplicationName   string `json:"applicationName"`
	DeviceProfileName string `json:"deviceProfileName"`
	DeviceName        string `json:"deviceName"`
	DevEUI            string `json:"devEui"`
}

type rxInfo struct {
	GatewayID string  `json:"gatewayId"`
	UplinkID  uint32  `json:"uplinkId,omitempty"`
	RSSI      int     `json:"rssi,omitempty"`
	SNR       float64 `json:"snr,omitempty"`
	CRCStatus string  `json:"crcStatus"`
}

type txInfo struct {
	Frequency  int            `json:"frequency"`
	Modulation map[string]any `json:"modulation"`
}

// uplink makes one from what a message is: the same message gets the same one.
func (l *lora) uplink(m device.Message, object map[string]any) uplink {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", l.id, m.Boot, m.Seq))
	address := sha256.Sum256([]byte(l.id))
	return uplink{
		DeduplicationID: uuid(sum),
		Time:            time.UnixMilli(m.TS).UTC().Format(time.RFC3339Nano),
		DeviceInfo: deviceInfo{
			TenantName: "Hudong (invented)", ApplicationID: application, ApplicationName: "watchhouse",
			DeviceProfileName: l.model, DeviceName: l.id, DevEUI: l.eui,
		},
		DevAddr: hex.EncodeToString(address[:4]), ADR: true, DR: int(sum[0] % 6), FCnt: m.Seq, FPort: 85,
		Confirmed: m.Type != "", Object: object,
		RxInfo: []rxInfo{{
			GatewayID: "24e124fffef00001", UplinkID: binary.BigEndian.Uint32(sum[:4]), RSSI: -60 - int(sum[1]%60), SNR: float64(int(sum[2]%24)-8) / 2,
			CRCStatus: "CRC_OK",
		}},
		TxInfo: txInfo{Frequency: 486300000, Modulation: map[string]any{"lora": map[string]any{"bandwidth": 125000, "spreadingFactor": 9}}},
	}
}

// uuid makes one of version 4 from a hash.
func uuid(sum [32]byte) string {
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
