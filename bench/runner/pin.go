package runner

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startPinned starts a worker on the last of the processors there are. All columns
// have the same one: two processors of a virtual machine are not of the same speed,
// and what they do besides differs. A Go worker then has GOMAXPROCS 1.
func startPinned(cmd *exec.Cmd) error {
	runtime.LockOSThread() // a child has the processors of the thread that makes it
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	one := last(&all)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	started := cmd.Start()
	if err := unix.SchedSetaffinity(0, &all); err != nil {
		if started == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		// The thread stays locked, and ends with the goroutine.
		return errors.Join(started, fmt.Errorf("sched_setaffinity: %w", err))
	}
	runtime.UnlockOSThread()
	return started
}

// last returns the set of the last processor of another, which is not empty.
func last(all *unix.CPUSet) (one unix.CPUSet) {
	cpu := 0
	for seen := 0; seen < all.Count(); cpu++ {
		if all.IsSet(cpu) {
			seen++
		}
	}
	one.Set(cpu - 1)
	return one
}
