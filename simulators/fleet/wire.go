package fleet

import (
	"errors"
	"net"
)

// errCut is what the library reads from a connection that was cut under it.
var errCut = errors.New("fleet: connection cut")

// wire is a connection that can be cut. The library takes a socket that was closed on this side for its own doing and would not report the
// loss, so the error is renamed.
type wire struct{ net.Conn }

func (w wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if errors.Is(err, net.ErrClosed) {
		err = errCut
	}
	return n, err
}
