package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// page serves the built page from memory: files below assets/ have their hash in the name and never change, everything
// else is asked for each time. Unknown paths are the page's own routes and get index.html.
type staticPage struct{ files map[string]staticFile }

type staticFile struct {
	plain, gzipped []byte
	mediaType, tag string
}

func newPage(dist fs.FS) (*staticPage, error) {
	p := &staticPage{files: map[string]staticFile{}}
	err := fs.WalkDir(dist, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path.Base(name), ".") || strings.HasSuffix(name, ".gz") {
			return err
		}
		f, err := readStatic(dist, name)
		p.files[name] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	if _, built := p.files["index.html"]; !built {
		p.files["index.html"] = newStatic("index.html", []byte(notBuilt), nil)
	}
	return p, nil
}

func readStatic(dist fs.FS, name string) (staticFile, error) {
	plain, err := fs.ReadFile(dist, name)
	if err != nil {
		return staticFile{}, err
	}
	gzipped, err := fs.ReadFile(dist, name+".gz")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return staticFile{}, err
	}
	return newStatic(name, plain, gzipped), nil
}

func newStatic(name string, plain, gzipped []byte) staticFile {
	sum := sha256.Sum256(plain)
	return staticFile{plain: plain, gzipped: gzipped, mediaType: mediaType(name), tag: hex.EncodeToString(sum[:8])}
}

func (p *staticPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, codeInvalid, "The page can only be read."))
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, ok := p.files[name]
	if !ok {
		if strings.HasPrefix(name, "assets/") {
			writeProblem(w, r, newProblem(http.StatusNotFound, codeNotFound, "There is no such file; reload the page."))
			return
		}
		name, f = "index.html", p.files["index.html"]
	}
	p.serve(w, r, name, f)
}

func (p *staticPage) serve(w http.ResponseWriter, r *http.Request, name string, f staticFile) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Security-Policy", contentPolicy(r))
	body, suffix := f.plain, ""
	if f.gzipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, suffix = f.gzipped, "-gz"
	}
	switch {
	case strings.HasPrefix(name, "assets/"):
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case name == "index.html":
		h.Set("Cache-Control", "no-store")
	default:
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("ETag", `"`+f.tag+suffix+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// contentPolicy names the stream's address: old browser cores do not take 'self' for WebSocket.
func contentPolicy(r *http.Request) string {
	connect := "connect-src 'self'"
	if plainHost(r.Host) {
		scheme := " ws://"
		if r.TLS != nil {
			scheme = " wss://"
		}
		connect += scheme + r.Host
		if r.TLS == nil {
			connect += " wss://" + r.Host // a proxy in front may end TLS
		}
	}
	return "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; " + connect +
		"; font-src 'self'; media-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

// plainHost guards the policy against a Host header that would add to it.
func plainHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	for _, c := range host {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune(".-:[]_", c) {
			return false
		}
	}
	return true
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := strings.ReplaceAll(params, " ", "")
		if (strings.EqualFold(coding, "gzip") || coding == "*") && q != "q=0" && q != "q=0.0" {
			return true
		}
	}
	return false
}

// mediaType is fixed here: with nosniff a wrong type breaks the page, and a system's table may be anything.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".webp":
		return "image/webp"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	case ".geojson":
		return "application/geo+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// notBuilt is what a clone without Node serves.
const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Watchhouse</title></head>
<body><h1>Watchhouse</h1>
<p>The hub runs, but its page was not built. Run <code>make web</code> (it needs Node), then <code>make build</code>.</p>
<p lang="zh-CN">程序已运行,但页面尚未构建。请先运行 <code>make web</code>(需要 Node),再运行 <code>make build</code>。</p>
</body></html>
`

// compressed gzips the large lists. A reveal is left alone: its length must not depend on what else is in it.
func compressed(next http.Handler) http.Handler {
	gz := gzhttp.GzipHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case apiPrefix + "/snapshot", apiPrefix + "/devices", apiPrefix + "/incidents", apiPrefix + "/openapi.json",
			apiPrefix + "/catalog", apiPrefix + "/areas/map", apiPrefix + "/places", apiPrefix + "/registry/devices":
			if r.Method == http.MethodGet {
				gz.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
