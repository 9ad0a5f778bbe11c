package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// describe records the machine and the versions of the software.
func (r *run) describe() {
	r.details.Date = time.Now().UTC().Format(time.RFC3339)
	r.details.Machine = map[string]string{
		"cpu":    cpuinfo("model name"),
		"cores":  strconv.Itoa(runtime.NumCPU()),
		"kernel": kernelRelease(),
		"arch":   runtime.GOARCH,
	}
	r.details.Versions = map[string]string{
		"go":                   runtime.Version(),
		"gcc":                  firstLine("gcc", "--version"),
		"libmnl":               version("libmnl"),
		"libnl":                version("libnl-3.0"),
		"nlwire":               revision(r.Source),
		"mdlayher/netlink":     r.module("github.com/mdlayher/netlink"),
		"mdlayher/genetlink":   r.module("github.com/mdlayher/genetlink"),
		"vishvananda/netlink":  r.module("github.com/vishvananda/netlink"),
		"jsimonetti/rtnetlink": r.module("github.com/jsimonetti/rtnetlink/v2"),
	}
}

// cpuinfo returns the first value for a key in /proc/cpuinfo.
func cpuinfo(name string) string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// kernelRelease returns the kernel version without the suffix of its distributor.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err.Error()
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return release
}

// module returns the required version of a module in go.mod.
func (r *run) module(path string) string {
	b, err := os.ReadFile(filepath.Join(r.Source, "go.mod"))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(b)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == path {
			return fields[1]
		}
	}
	return "unknown"
}

// revision returns the measured commit, with a plus sign if the worktree has changes.
func revision(source string) string {
	cmd := exec.Command("git", "-C", source, "describe", "--always", "--dirty=+")
	out, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func firstLine(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
