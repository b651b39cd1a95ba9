package load

import (
	"fmt"
	"net"
	"syscall"
)

// wakeAfter makes the kernel wake the connection's reader only when n bytes wait (SO_RCVLOWAT), so that a batch of acks costs one system
// call. The reader then sees an ack up to a batch late; the report says so.
func wakeAfter(conn net.Conn, n int) error {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return fmt.Errorf("load: low-water mark: %w", err)
	}
	var set error
	if err := control.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)
	}); err != nil {
		return fmt.Errorf("load: low-water mark: %w", err)
	}
	return set
}
