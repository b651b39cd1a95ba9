package registry

import (
	"bytes"
	"slices"
	"strings"
)

// headings are the names of columns in Chinese, and in other spellings that lists of devices come with. An ambiguous one, 地址, is left
// out: it could be a flat's or a DevEUI.
var headings = map[string][]string{
	colID:            {"编号", "设备编号", "设备id", "点位编号", "联系人编号", "device_id"},
	colKind:          {"类型", "类别", "设备类型", "设备类别", "device_type"},
	colName:          {"名称", "设备名称", "点位名称"},
	colArea:          {"居委", "居委会", "片区", "区域", "所属居委", "所属居委会"},
	colLat:           {"纬度", "latitude"},
	colLon:           {"经度", "longitude", "lng"},
	colCRS:           {"坐标系", "坐标系统"},
	colGateway:       {"网关", "所属网关"},
	colPower:         {"供电", "供电方式", "电源"},
	colInterval:      {"上报间隔", "上报间隔(秒)", "上报周期(秒)", "心跳间隔(秒)"},
	colModel:         {"型号", "设备型号"},
	colAddress:       {"设备地址", "通信地址", "deveui", "dev_eui", "eui", "ieee地址", "mac", "mac地址"},
	colSettings:      {"设置", "安装参数"},
	colPlace:         {"点位", "场所", "所在点位"},
	colPerson:        {"人员", "人员编号", "住户", "住户编号", "居民编号"},
	colOutOfService:  {"停用", "是否停用"},
	colSecret:        {"密钥", "设备密钥"},
	colPersonName:    {"姓名", "住户姓名", "老人姓名"},
	colPersonPhone:   {"电话", "手机", "手机号", "联系电话", "住户电话"},
	colPersonAddress: {"住址", "家庭住址", "住户地址"},
	colPersonNote:    {"备注", "住户备注"},
	colHours:         {"开放时间", "开放时段"},
	colDuty:          {"职责"},
	colAreas:         {"负责居委", "负责片区", "负责区域"},
	colPhone:         {"电话", "手机", "手机号", "联系电话"},
	colWebhook:       {"推送地址"},
}

// column gives the column that a heading names in a file of this form, or the heading itself.
func (f csvForm) column(heading string) string {
	name := strings.ToLower(halfWidth(cleanCell(heading)))
	joined := strings.NewReplacer(" ", "_", "-", "_").Replace(name)
	if slices.Contains(f.columns, joined) {
		return joined
	}
	for _, column := range f.columns {
		if slices.Contains(headings[column], name) || slices.Contains(headings[column], joined) {
			return column
		}
	}
	if name == "姓名" && slices.Contains(f.columns, colName) { // of a contact
		return colName
	}
	return name
}

// separatorOf gives the character between the cells: that of the line "sep=;" which Excel writes and reads, else the one that the
// header has. rest is the text without that line.
func separatorOf(text []byte) (sep rune, rest []byte, lines int) {
	line, after, _ := bytes.Cut(text, []byte("\n"))
	first := strings.Trim(strings.TrimRight(string(line[:min(len(line), maxHeading)]), "\r"), `"`)
	if mark, ok := strings.CutPrefix(strings.ToLower(first), "sep="); ok {
		if i := strings.IndexAny(mark, ",;\t|"); i == 0 {
			return rune(mark[0]), after, 1
		}
	}
	if !strings.Contains(first, ",") {
		for _, other := range ";\t|" {
			if strings.ContainsRune(first, other) {
				return other, text, 0
			}
		}
	}
	return ',', text, 0
}

// maxHeading is where the look for the separator ends.
const maxHeading = 64 << 10
