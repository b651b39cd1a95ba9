package registry

import (
	"strings"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// wantKind says what a kind looks like, and which one was probably meant.
func wantKind(c *catalog.Catalog, k telemetry.Kind) string {
	if meant := misspelt(c, k); meant != "" {
		return string(meant)
	}
	names := make([]string, 0, len(c.Kinds()))
	for _, known := range c.Kinds() {
		names = append(names, string(known.ID))
	}
	return strings.Join(names, ", ") + " or another name of a to z and _"
}

// wantKindOf says which kind a device of its model has, else what a kind looks like.
func wantKindOf(c *catalog.Catalog, d Device) string {
	if m, ok := c.Model(d.Model); ok {
		return string(m.Kind) + ", the kind of model " + d.Model
	}
	return wantKind(c, d.Kind)
}

// misspelt gives the kind of the catalog that k is all but equal to, "" when it is one or quite another. Kinds are an open
// vocabulary, but a button registered as "emergency_buton" would call for help and be taken for something unknown.
func misspelt(c *catalog.Catalog, k telemetry.Kind) telemetry.Kind {
	if _, known := c.Kind(k); known {
		return ""
	}
	for _, known := range c.Kinds() {
		if distance(string(k), string(known.ID)) <= 2 {
			return known.ID
		}
	}
	return ""
}

// distance is the number of insertions, deletions and replacements of bytes between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
