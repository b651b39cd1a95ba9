//go:build unix

package broker

import "syscall"

// OpenFiles is how many files the process may have open, 0 when unknown.
func OpenFiles() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(min(l.Cur, 1<<30))
}
