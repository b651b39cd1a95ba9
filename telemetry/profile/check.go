package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"watchhouse/telemetry"
)

// Fault takes what is wrong at a place, which is a path of YAML such as .fields[2].metric.
type Fault func(at, message string)

// Check reports everything that is wrong with an envelope.
func (t Topic) Check(report Fault) {
	if why := faultOf(t.Pattern); why != "" {
		report(".topic", why)
	}
	switch t.Carries {
	case CarriesModel, CarriesFields, CarriesStatus, CarriesLife, CarriesBridge, CarriesNothing:
	default:
		report(".carries", "want model, fields, status, life, bridge or nothing")
	}
	if t.Carries != CarriesModel && (t.Body != "" || t.Event != "" || namesEvent(t.Pattern) || t.OrWhole || t.Bytes != "" || t.Port != "") {
		report("", "body, event, {event}, or_whole, bytes and port are of a topic that carries a model")
	}
	switch t.TimeForm {
	case TimeRFC3339, TimeUnixS, TimeUnixMS, TimeBasic:
	default:
		if t.Time != "" {
			report(".time_form", "want rfc3339, unix_s, unix_ms or basic")
		}
	}
	if t.Address != "" && holdsAddress(t.Pattern) {
		report(".address", "want one address: the topic names it already")
	}
	if t.Devices != "" && t.Address == "" {
		report(".devices", "want the path of each device's address, too")
	}
	t.checkPaths(report)
	t.checkLists(report)
	for i, f := range t.Fields {
		f.check(within(report, i), t.Text)
	}
}

func (t Topic) checkPaths(report Fault) {
	for at, p := range map[string]string{
		".event": t.Event, ".bytes": t.Bytes, ".time": t.Time, ".port": t.Port, ".address": t.Address, ".devices": t.Devices,
	} {
		if p != "" && !validPath(p) {
			report(at, wantPath)
		}
	}
	if t.Body != "" {
		for p := range strings.SplitSeq(t.Body, "+") {
			checkPath(report, ".body", p)
		}
	}
	for i, key := range t.Identity {
		for p := range strings.SplitSeq(key, "+") {
			checkPath(report, fmt.Sprintf(".identity[%d]", i), p)
		}
	}
	for i, p := range t.Zero {
		checkPath(report, fmt.Sprintf(".zero[%d]", i), p)
	}
}

func (t Topic) checkLists(report Fault) {
	if p := t.Pairs; p != nil {
		if p.List != "" {
			checkPath(report, ".pairs.list", p.List)
		}
		checkPath(report, ".pairs.name", p.Name)
		checkPath(report, ".pairs.value", p.Value)
		if t.Body != "" || t.List {
			report(".pairs", "the pairs are the body: want neither body nor list")
		}
	}
	if r := t.Reply; r != nil {
		if r.ID != "" {
			checkPath(report, ".reply.id", r.ID)
		}
		if strings.Count(r.Topic, topicPart) != 1 || strings.ContainsAny(strings.Replace(r.Topic, topicPart, "", 1), "+#{}\x00") {
			report(".reply.topic", "want text with {topic} in it")
		}
		if r.topicOf(t.Pattern) == t.Pattern {
			report(".reply", "want another topic than that of the report")
		}
		if !json.Valid([]byte(r.payload("1"))) {
			report(".reply.payload", "want JSON, with {id} where the report's id stands")
		}
	}
}

// Check reports everything that is wrong with a mapping.
func (s *ModelSpec) Check(report Fault) {
	fill := false
	for i, f := range s.Fields {
		f.check(within(report, i), false)
		fill = fill || f.Fill
	}
	s.checkBytes(report)
	if _, err := mountOf(s.Settings); (fill || len(s.Settings) > 0) && err != nil {
		report(".settings", "want empty_mm, full_mm and stream: "+err.Error())
	}
	for name := range s.Settings {
		if name != settingEmpty && name != settingFull && name != settingStream {
			report(".settings", "want empty_mm, full_mm and stream")
		}
	}
}

func (s *ModelSpec) checkBytes(report Fault) {
	seen := map[chunkKey]bool{}
	for i, c := range s.Bytes {
		at := fmt.Sprintf(".bytes[%d]", i)
		c.check(func(rest, message string) { report(at+rest, message) })
		if seen[c.key()] {
			report(at, "this channel and type is given twice")
		}
		seen[c.key()] = true
	}
	ports := map[int]bool{}
	for i, f := range s.Frames {
		at := fmt.Sprintf(".frames[%d]", i)
		checkParts(func(rest, message string) { report(at+rest, message) }, f.Parts)
		if f.Port < 1 || f.Port > 255 || f.Size < 0 || f.Size > 255 || ports[f.Port] {
			report(at, "want a port from 1 to 255, each once, and a size up to 255")
		}
		ports[f.Port] = true
	}
	if len(s.Bytes) > 0 && len(s.Frames) > 0 {
		report(".frames", "want bytes or frames, not both")
	}
}

func within(report Fault, i int) Fault {
	return func(at, message string) { report(fmt.Sprintf(".fields[%d]%s", i, at), message) }
}

const wantPath = "want names joined by dots, name[] for an array"

func checkPath(report Fault, at, p string) {
	if !validPath(p) {
		report(at, wantPath)
	}
}

func (f Field) check(report Fault, mayBeWhole bool) {
	if f.Path != "" || !mayBeWhole {
		checkPath(report, ".path", f.Path)
	}
	for i, p := range f.Unless {
		checkPath(report, fmt.Sprintf(".unless[%d]", i), p)
	}
	meanings := 0
	for _, set := range []bool{f.Metric != "", f.Fill, f.Event != nil, f.Level != "", f.Online} {
		if set {
			meanings++
		}
	}
	if meanings != 1 {
		report("", "want one of metric, fill, event, level and online")
		return
	}
	f.checkNumber(report)
	f.checkWords(report)
}

func (f Field) checkNumber(report Fault) {
	number := f.Metric != "" || f.Fill
	if f.Metric != "" && !telemetry.ValidMetric(f.Metric) {
		report(".metric", "want 1 to 64 letters, digits, _, - or ., beginning with a letter")
	}
	if !number && f.hasNumberSettings() {
		report("", "pick, scale, offset, min, max and values are of a metric or a fill level")
	}
	if f.Pick != "" && f.Pick != "max" && f.Pick != "min" {
		report(".pick", "want max or min")
	}
	if number && strings.Contains(f.Path, "[]") && f.Pick == "" {
		report(".path", "an array has several numbers: say pick: max or pick: min")
	}
}

func (f Field) hasNumberSettings() bool {
	return f.Pick != "" || f.Scale != 0 || f.Offset != 0 || f.Min != nil || f.Max != nil || f.Values != nil
}

func (f Field) checkWords(report Fault) {
	for w, typ := range f.Event {
		if typ != "" && !validType(typ) && (typ != anyWord || w != anyWord) {
			report(".event", "want event types of a to z, 0 to 9 and _, or \"\" for nothing")
		}
	}
	if f.Level != "" && !validType(f.Level) {
		report(".level", "want an event type of a to z, 0 to 9 and _")
	}
	if (len(f.On) == 0) != (len(f.Off) == 0) {
		report("", "want both on and off, or neither")
	}
	if len(f.On) > 0 && f.Level == "" && !f.Online {
		report("", "on and off are of a level or of online")
	}
	for _, w := range f.On {
		if slices.Contains(f.Off, w) {
			report(".off", "a word cannot mean both on and off")
		}
	}
}

func (c Chunk) check(report Fault) {
	if c.Channel < 0 || c.Channel > 255 || c.Type != nil && (*c.Type < 0 || *c.Type > 255) {
		report("", "want channel and type from 0 to 255")
	}
	if len(c.Parts) == 0 && c.Size == 0 && c.Type != nil || c.Size < 0 || c.Size > 255 {
		report("", "want parts, or a size from 1 to 255")
	}
	checkParts(report, c.Parts)
}

func checkParts(report Fault, parts []Part) {
	for i, p := range parts {
		at := fmt.Sprintf(".parts[%d]", i)
		if (sizes[p.Form] == 0) != (p.Value != nil) || p.Value != nil && p.Form != "" {
			report(at+".form", "want u8, i8, u16, i16, u32, i32, u16be or i16be, or a value")
		}
		if p.Path == "" && p.Value == nil {
			continue
		}
		if !validPath(p.Path) || strings.ContainsAny(p.Path, "[]|") {
			report(at+".path", "want names joined by dots")
		}
	}
}
