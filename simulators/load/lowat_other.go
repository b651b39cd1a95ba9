//go:build !linux

package load

import "net"

// wakeAfter does nothing here: the generator costs more CPU.
func wakeAfter(net.Conn, int) error { return nil }
