package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	"github.com/klauspost/compress/gzip"
)

// database is the client. Safe for concurrent use.
type database struct {
	client  influxdb2.Client
	http    *http.Client
	writer  api.WriteAPIBlocking
	bucket  string
	timeout time.Duration
}

// newDatabase connects to nothing yet.
func newDatabase(cfg Config, token string) *database {
	h := &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 4, // the writer and a few charts
			IdleConnTimeout:     90 * time.Second,
		},
		// A redirected POST arrives as a GET, whose 204 would pass for a stored batch.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	opts := influxdb2.DefaultOptions().SetApplicationName("watchhouse").SetPrecision(time.Nanosecond)
	opts.HTTPOptions().SetHTTPDoer(&doer{http: h})
	c := influxdb2.NewClientWithOptions(cfg.URL, token, opts)
	return &database{
		client: c, http: h, bucket: cfg.Bucket, timeout: cfg.Timeout,
		writer: c.WriteAPIBlocking(cfg.Org, cfg.Bucket),
	}
}

// write sends lines in one request; nil means 204.
func (d *database) write(ctx context.Context, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	return d.writer.WriteRecord(ctx, string(lines))
}

func (d *database) ping(ctx context.Context) error {
	_, err := d.client.Ping(ctx)
	return err
}

func (d *database) close() {
	d.client.Close()
	d.http.CloseIdleConnections()
}

// doer is the client's HTTP for all requests. A write is compressed here, by a faster gzip than the client's, with a known
// length, without which InfluxDB 1.8 does not answer 413; and only 204 counts: a proxy's sign-in page is a 200 too.
type doer struct {
	http *http.Client
	zip  sync.Pool // of *gzip.Writer: each has tables of half a megabyte
}

// Do sends req.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/api/v2/write") {
		return d.http.Do(req)
	}
	if err := d.compress(req); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	resp, err := d.http.Do(req)
	if err != nil || resp.StatusCode == http.StatusNoContent || resp.StatusCode >= http.StatusBadRequest {
		return resp, err
	}
	resp.Body.Close()
	return nil, fmt.Errorf("status %d instead of 204", resp.StatusCode)
}

// packedBytes is the usual size of a full batch.
const packedBytes = 64 << 10

// compress replaces the body. The buffer is not used again: the transport may still read it after an early answer.
func (d *doer) compress(req *http.Request) error {
	packed := bytes.NewBuffer(make([]byte, 0, packedBytes))
	z, ok := d.zip.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a known one
	}
	defer d.zip.Put(z)
	z.Reset(packed)
	if _, err := io.Copy(z, req.Body); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	body := packed.Bytes()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Encoding", "gzip")
	return nil
}
