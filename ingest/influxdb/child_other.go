//go:build !unix

package influxdb

import "syscall"

func ownGroup() *syscall.SysProcAttr { return nil }
