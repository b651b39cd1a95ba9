//go:build unix && !linux

package influxdb

import "syscall"

// ownGroup puts the child in its own process group, away from the terminal's signals.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// yieldToOthers does nothing here: priorities belong to processes, not to threads.
func yieldToOthers() {}
