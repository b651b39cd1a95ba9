package influxdb

import (
	"fmt"
	"strings"
)

// Database is the database made at start, and Bucket its name for clients that speak the v2 interface.
const (
	Database = "watchhouse"
	Bucket   = Database + "/autogen"
)

// Config of a child server. Bin and Dir are needed; zero numbers mean the defaults.
type Config struct {
	Bin          string // the influxd binary
	Dir          string // data, write-ahead log, config and log file; made when absent
	Addr         string // host:port to serve on; "" = a free one on loopback
	MaxBodyBytes int    // larger writes are answered with 413; 0 = the server's default of 25 MB
	NoFlux       bool   // starts in a tenth of a second instead of two, and answers InfluxQL only
}

// settings are the values of the configuration file for one start.
type settings struct {
	dir          string
	httpAddr     string
	rpcAddr      string
	nonce        string
	maxBodyBytes int
	flux         bool
}

// text gives influxd's configuration file. Caches and compaction are small: 346 devices share a machine with the hub.
func (s settings) text() string {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	put("reporting-disabled = true")
	put("bind-address = %q", s.rpcAddr)
	put("[meta]\n  dir = %q\n  logging-enabled = false", s.dir+"/meta")
	put("[data]\n  dir = %q\n  wal-dir = %q", s.dir+"/data", s.dir+"/wal")
	put("  index-version = \"tsi1\"\n  query-log-enabled = false\n  wal-fsync-delay = \"0s\"")
	put("  cache-max-memory-size = \"256m\"\n  cache-snapshot-memory-size = \"16m\"")
	put("  cache-snapshot-write-cold-duration = \"5m\"")
	put("  max-concurrent-compactions = 1\n  compact-throughput = \"8m\"\n  compact-throughput-burst = \"8m\"")
	put("  max-index-log-file-size = \"256k\"\n  series-id-set-cache-size = 100")
	put("[coordinator]\n  write-timeout = \"10s\"\n  query-timeout = \"30s\"\n  max-concurrent-queries = 16")
	put("[retention]\n  enabled = false\n[shard-precreation]\n  enabled = false\n[monitor]\n  store-enabled = false")
	put("[subscriber]\n  enabled = false\n[continuous_queries]\n  enabled = false")
	put("[logging]\n  level = \"warn\"\n  suppress-logo = true")
	put("[http]\n  enabled = true\n  bind-address = %q\n  flux-enabled = %t\n  flux-log-enabled = false", s.httpAddr, s.flux)
	put("  log-enabled = false\n  suppress-write-log = true\n  pprof-enabled = false\n  auth-enabled = false")
	if s.maxBodyBytes > 0 {
		put("  max-body-size = %d", s.maxBodyBytes)
	}
	put("[http.headers]\n  %s = %q", nonceHeader, s.nonce)
	return b.String()
}
