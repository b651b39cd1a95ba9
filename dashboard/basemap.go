package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

// tilesPath serves the archive by ranges; it answers no JSON, so it is no operation of the API's description.
const tilesPath = apiPrefix + "/map/tiles.pmtiles"

// Basemap is the picture below the map, if the hub has one.
type Basemap struct {
	URL string `json:"url" doc:"Where the PMTiles archive of raster tiles is read by ranges; empty = this hub has none, and the page draws its own borders only."`
	CRS string `json:"crs" enum:"wgs84,gcj02" doc:"What the tiles are drawn in; the page shifts its WGS-84 points for gcj02."`
}

type basemapOutput struct{ Body Basemap }

func (s *Server) basemapRoutes(api huma.API) {
	handle(s, api, operation{
		id: "get-basemap", method: http.MethodGet, path: "/map/basemap", may: registry.PermView, summary: "The picture below the map",
		problems: []int{http.StatusServiceUnavailable},
	}, func(context.Context, *struct{}) (*basemapOutput, error) {
		b := Basemap{CRS: s.cfg.MapCRS}
		if s.cfg.MapDir == "" {
			return &basemapOutput{Body: b}, nil
		}
		if _, err := archive(s.cfg.MapDir); err != nil {
			return nil, noBasemap(err)
		}
		b.URL = tilesPath
		return &basemapOutput{Body: b}, nil
	})
}

// archive is the one PMTiles file of the folder. It is looked for with each request, so that a map can be brought and
// renewed while the hub runs.
func archive(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("map_dir: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".pmtiles") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	if len(names) != 1 {
		return "", fmt.Errorf("map_dir: want one .pmtiles file in %s, have %d", dir, len(names))
	}
	return names[0], nil
}

func noBasemap(err error) *Problem {
	p := newProblem(http.StatusServiceUnavailable, codeUnavailable, "The map's picture can not be read; borders and points are shown without it.")
	p.cause = err
	return p
}

// serveTiles answers ranges of the archive. The tag names one state of the file: a reader in the middle of another starts anew.
func (s *Server) serveTiles(w http.ResponseWriter, r *http.Request) {
	if _, p := s.admit(r, registry.PermView); p != nil {
		writeProblem(w, r, p)
		return
	}
	f, info, err := s.openArchive()
	if err != nil {
		p := noBasemap(err)
		if errors.Is(err, fs.ErrNotExist) {
			p = notFound("basemap")
		}
		writeProblem(w, r, p)
		return
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+strconv.FormatInt(info.ModTime().UnixNano(), 36)+"-"+strconv.FormatInt(info.Size(), 36)+`"`)
	http.ServeContent(w, r, "", info.ModTime(), f)
}

func (s *Server) openArchive() (*os.File, fs.FileInfo, error) {
	if s.cfg.MapDir == "" {
		return nil, nil, fs.ErrNotExist
	}
	name, err := archive(s.cfg.MapDir)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
