package influxdb

import "syscall"

// ownGroup puts the child in its own process group, away from the terminal's signals, and ties its life to ours.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
