package influxdb

import "syscall"

// ownGroup puts the child in its own process group, away from the terminal's signals, and ties its life to ours.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// niceness makes the hub, which shares the cores, come first when both have work.
const niceness = 5

// yieldToOthers lowers the priority of this thread, which the child inherits. A refusal costs only that.
func yieldToOthers() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness) }
