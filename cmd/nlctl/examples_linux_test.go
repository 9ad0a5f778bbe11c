package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// exampleSpec is the file ethtool.yaml of the examples.
const exampleSpec = `
name: ethtool
protocol: genetlink-legacy
doc: x
attribute-sets:
  - name: header
    attributes:
      - {name: dev-index, type: u32}
  - name: rings
    attributes:
      - {name: header, type: nest, nested-attributes: header}
      - {name: rx, type: u32, value: 6}
operations:
  list:
    -
      name: rings-get
      doc: x
      attribute-set: rings
      value: 15
      do:
        request: {attributes: [header]}
        reply: {attributes: [header, rx]}
`

// examplesOf returns the lines of the examples in a description.
func examplesOf(c *cli.Command) (lines []string) {
	_, text, _ := strings.Cut(c.Description, "Examples:\n\n")
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// exampleRun runs the examples of a command in a network namespace and in a directory.
type exampleRun struct {
	netNS  int
	dir    string
	server *exec.Cmd
	port   string // of nlctl serve
}

// Every example of the help works: in bash, in a network namespace with a device eth0 and a directory
// with the files that the examples name.
func TestExamples(t *testing.T) {
	needLittleEndian(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash: ", err)
	}
	completion := &cli.Command{}
	describeCompletion(completion)
	all := map[string]*cli.Command{"completion": completion}
	for _, s := range commands {
		all[s.name] = s.command()
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			r := newExampleRun(t)
			lines := examplesOf(c)
			if len(lines) == 0 {
				t.Error("no examples")
			}
			for _, line := range lines {
				t.Run(line, func(t *testing.T) { r.run(t, bash, name, line) })
			}
		})
	}
}

func newExampleRun(t *testing.T) *exampleRun {
	t.Helper()
	r := &exampleRun{netNS: kerneltest.NewNetNS(t), dir: t.TempDir()}
	program, err := os.Executable()
	if err == nil {
		err = os.Symlink(program, filepath.Join(r.dir, "nlctl"))
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(r.dir, ".config/fish/completions"), 0o700)
	}
	for file, text := range map[string]string{"FILE": string(recorded), "ethtool.yaml": exampleSpec} {
		if err == nil {
			err = os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	kerneltest.InNetNS(t, r.netNS, func() {
		if code, _, stderr := nlctl(t, "call", "rt-link", "newlink", "-flags", "create,excl", "ifname=eth0", "linkinfo.kind=veth"); code != exitOK {
			t.Error(stderr)
		}
	})
	t.Cleanup(r.end)
	return r
}

// programs are the programs that examples run, apart from nlctl and those of any system.
var programs = []string{"strace", "tshark", "tcpdump", "man"}

func (r *exampleRun) run(t *testing.T, bash, name, line string) {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil && strings.Contains(" "+line, " "+p+" ") {
			t.Skipf("needs %s: %v", p, err)
		}
	}
	endless := name == "monitor" || name == "capture" || strings.HasPrefix(line, "nlctl serve")
	line = strings.ReplaceAll(line, "PORT", r.port)
	script := "set -e -o pipefail\n" + line
	if endless {
		script = strings.Replace(script, "nlctl", "exec nlctl", 1) // to interrupt nlctl instead of bash
	}
	var out, errs bytes.Buffer
	c := exec.Command(bash, "-c", script)
	c.Dir = r.dir
	c.Env = append(os.Environ(), envMain+"=1", "PATH="+r.dir+":"+os.Getenv("PATH"), "HOME="+r.dir, "NLCTL_SPECS=", "MANPAGER=cat")
	c.Stdout, c.Stderr = &out, &errs
	var pipe io.Reader
	if strings.HasPrefix(line, "nlctl serve") {
		c.Stdout = nil
		pipe, _ = c.StdoutPipe()
	}
	var err error
	kerneltest.InNetNS(t, r.netNS, func() { err = c.Start() })
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case pipe != nil:
		r.serve(t, c, pipe, &errs)
		return
	case endless:
		waitForGroups(c.Process.Pid)
		_ = c.Process.Signal(syscall.SIGINT) // it fails if the process has ended, which Wait reports
	}
	err = c.Wait()
	switch text := errs.String(); {
	case strings.Contains(text, "no nlmon devices"), strings.Contains(text, "RTNETLINK answers: Operation not supported"):
		t.Skip("needs a kernel with CONFIG_NLMON")
	case strings.Contains(line, "rings-get") && strings.Contains(text, "operation not supported"):
		// veth has no rings
	case err != nil || text != "" && !strings.Contains(line, "tshark"):
		t.Errorf("%v, stderr %q", err, text)
	case out.Len() == 0 && !endless && !strings.Contains(line, ">") && !strings.HasPrefix(line, "source"):
		t.Error("no output")
	}
}

// serve waits until a server is ready, and then for its end: that of the test, or the start of
// another server.
func (r *exampleRun) serve(t *testing.T, c *exec.Cmd, pipe io.Reader, errs *bytes.Buffer) {
	r.end()
	port, err := bufio.NewReader(pipe).ReadString('\n')
	r.server, r.port = c, strings.TrimSpace(port)
	if err != nil {
		r.end()
		t.Fatalf("%v, stderr %q", err, errs)
	}
}

// end ends the server.
func (r *exampleRun) end() {
	if r.server != nil {
		_ = r.server.Process.Signal(syscall.SIGINT)
		_ = r.server.Wait() // other tests check its exit status
	}
	r.server = nil
}

// waitForGroups waits until the process has joined a group, or has ended.
func waitForGroups(pid int) {
	for {
		table, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "net/netlink"))
		if err != nil || len(table) == 0 {
			return
		}
		for line := range strings.Lines(string(table)) {
			if f := strings.Fields(line); len(f) > 3 && f[0] != "sk" && f[3] != "00000000" {
				return
			}
		}
	}
}
