package dashboard_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"watchhouse/dashboard"
	"watchhouse/registry"
)

const basemap = "/api/v1/map/basemap"

func TestWithoutAMapDirThereIsNoBasemap(t *testing.T) {
	h := newHouse(t)
	viewer := h.as(registry.Viewer)
	if status, body := viewer.get(basemap); status != http.StatusOK || into[dashboard.Basemap](t, body) != (dashboard.Basemap{CRS: "wgs84"}) {
		t.Errorf("%d %s", status, body)
	}
	problem(t, viewer.do(http.MethodGet, "/api/v1/map/tiles.pmtiles", nil), http.StatusNotFound, "not_found")
}

func TestTheBasemapIsReadByRangesAndRenewedWhileTheHubRuns(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, func(h *house) { h.cfg.MapDir, h.cfg.MapCRS = dir, "gcj02" })
	viewer := h.as(registry.Viewer)
	problem(t, viewer.do(http.MethodGet, basemap, nil), http.StatusServiceUnavailable, "unavailable")

	write(t, filepath.Join(dir, "a.pmtiles"), "PMTiles: the first archive")
	_, body := viewer.get(basemap)
	found := into[dashboard.Basemap](t, body)
	if found.CRS != "gcj02" || found.URL == "" {
		t.Fatalf("basemap %s", body)
	}
	first := viewer.with("Range", "bytes=9-17").do(http.MethodGet, found.URL, nil)
	if got := text(first); first.StatusCode != http.StatusPartialContent || got != "the first" {
		t.Errorf("%d %q", first.StatusCode, got)
	}
	if first.Header.Get("Content-Encoding") != "" {
		t.Error("a range of a compressed answer is a range of something else")
	}

	write(t, filepath.Join(dir, "a.pmtiles"), "PMTiles: a newer archive")
	if again := viewer.with("Range", "bytes=0-6").do(http.MethodGet, found.URL, nil); again.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Error("another archive under the same tag")
	}
	write(t, filepath.Join(dir, "b.pmtiles"), "a second one")
	problem(t, viewer.do(http.MethodGet, found.URL, nil), http.StatusServiceUnavailable, "unavailable")
	problem(t, h.nobody().do(http.MethodGet, found.URL, nil), http.StatusUnauthorized, "unauthorized")
}

func TestAMapOfAnUnknownDatumIsRefused(t *testing.T) {
	cfg := dashboard.DefaultConfig()
	cfg.MapCRS = "bd09"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "map_crs") {
		t.Errorf("Validate: %v", err)
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
