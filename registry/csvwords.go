package registry

import (
	"strings"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// kindNamed gives the kind of an id, or of the title that the page shows.
func kindNamed(c *catalog.Catalog, s string) telemetry.Kind {
	for _, k := range c.Kinds() {
		if s != "" && (s == k.Title.ZH || strings.EqualFold(s, k.Title.EN)) {
			return k.ID
		}
	}
	return telemetry.Kind(s)
}

func powerNamed(s string) telemetry.Power {
	switch s = strings.ToLower(s); s {
	case "市电", "交流", "电源":
		return telemetry.Mains
	case "电池":
		return telemetry.Battery
	}
	return telemetry.Power(s)
}

// yesOrNo reads the words that people and spreadsheets write for yes and no; nothing is no.
func yesOrNo(s string) (yes, ok bool) {
	switch strings.ToLower(halfWidth(s)) {
	case "true", "1", "yes", "y", "是", "真", "√", "✓":
		return true, true
	case "", "false", "0", "no", "n", "否", "假", "×":
		return false, true
	}
	return false, false
}
