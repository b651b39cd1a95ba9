//go:build !unix

package influxdb

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }

// yieldToOthers does nothing here: priorities belong to processes, not to threads.
func yieldToOthers() {}
