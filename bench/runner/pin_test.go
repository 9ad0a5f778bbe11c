package runner

import (
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStartPinned(t *testing.T) {
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	if before.Count() < 2 {
		t.Skip("needs two processors")
	}
	var out strings.Builder
	cmd := exec.Command("nproc")
	cmd.Stdout = &out
	if err := startPinned(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || strings.TrimSpace(out.String()) != "1" {
		t.Errorf("nproc of the child: %q, %v, want 1", out.String(), err)
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil || before != after {
		t.Errorf("processors %v, %v; before %v", after, err, before)
	}
}

func TestLastProcessor(t *testing.T) {
	var all, want unix.CPUSet
	for _, cpu := range []int{0, 3, 130} {
		all.Set(cpu)
	}
	want.Set(130)
	if got := last(&all); got != want {
		t.Errorf("last of 0, 3, 130: %v", got)
	}
}
