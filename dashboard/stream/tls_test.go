package stream_test

import (
	"crypto/tls"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/certs"
)

// A console that takes nothing more holds the end of the hub up no longer over TLS than without: nobody waits to say goodbye to it.
func TestADeafConsoleOverTLSDoesNotHoldUpTheEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		if err := certs.Init(dir, []string{"hub"}, false); err != nil {
			t.Fatal(err)
		}
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certs.ServerCert), filepath.Join(dir, certs.ServerKey))
		if err != nil {
			t.Fatal(err)
		}
		b := startOver(t, 100, &tls.Config{Certificates: []tls.Certificate{pair}})
		b.open("li").hello(0)
		synctest.Wait()
		began := time.Now()
		b.stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the hub took %v to end", took)
		}
	})
}
