package runner

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tracing is where the kernel tells of its tracepoints.
const tracing = "/sys/kernel/tracing"

// openCounter opens a perf event that counts the system calls of what this thread
// starts next, with all its threads. It costs the counted nothing worth mention,
// but while it is open every system call of the machine takes a longer way: so it
// is open for runs of its own, that are not timed.
func openCounter() (*os.File, error) {
	text, err := os.ReadFile(tracing + "/events/raw_syscalls/sys_enter/id")
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, err
	}
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		// Disabled here, enabled in the child by its exec.
		Bits: unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("perf_event_open: %w", err)
	}
	return os.NewFile(uintptr(fd), "counter"), nil
}

// mountTracing makes the tracepoints visible in a mount namespace of our own.
func mountTracing() error {
	if _, err := os.Stat(tracing + "/events"); err == nil {
		return nil
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Mount("tracefs", tracing, "tracefs", 0, "")
}
