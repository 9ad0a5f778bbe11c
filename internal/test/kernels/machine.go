package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bootTimeout is the time that a guest may take, on a busy host.
const bootTimeout = 20 * time.Minute

// resultsSize is the size of the disk for the results, which is a sparse file.
const resultsSize = 256 << 20

// machine is a virtual machine with one kernel.
type machine struct {
	target
	options
	cache   string
	version string // of the kernel, as in /lib/modules
	tools   tree
}

func (m *machine) dir() string { return filepath.Join(m.cache, m.name) }

// run prepares the machine, runs the tests and reads the results.
func (m *machine) run(ctx context.Context) (*report, error) {
	if err := m.unpackTools(ctx); err != nil {
		return nil, err
	}
	r, err := openRepository(ctx, m.cache, m.target)
	if err != nil {
		return nil, err
	}
	if m.version, err = r.kernelVersion(ctx); err != nil {
		return nil, err
	}
	debs, err := r.kernelPackages(ctx, m.version)
	if err != nil {
		return nil, err
	}
	kernel := filepath.Join(m.dir(), "kernel")
	if err := r.unpack(ctx, debs, kernel); err != nil {
		return nil, err
	}
	// Since Debian 13, packages have everything in /usr.
	if err := os.Symlink("usr/lib", filepath.Join(kernel, "lib")); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	var own []string
	if !m.noModules {
		if own, err = m.buildModules(ctx, r); err != nil {
			return nil, err
		}
	}
	libnl := m.tools
	if m.arch != tools.arch {
		libnl = tree(filepath.Join(m.dir(), "libnl"))
		debs, err := r.closure(ctx, "libnl-utils", "base-files")
		if err != nil {
			return nil, err
		}
		if err := r.unpack(ctx, debs, string(libnl)); err != nil {
			return nil, err
		}
	}
	payload, initrd := filepath.Join(m.dir(), "payload.tar"), filepath.Join(m.dir(), "initrd")
	if err := m.payload(ctx, payload, own); err != nil {
		return nil, err
	}
	if err := m.initrd(ctx, initrd, kernel, libnl); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := m.boot(ctx, kernel, initrd, payload); err != nil {
		return nil, err
	}
	report, err := m.readReport()
	if err == nil {
		report.GuestSeconds = time.Since(start).Seconds()
	}
	return report, err
}

// unpackTools unpacks the programs of the host.
func (m *machine) unpackTools(ctx context.Context) error {
	r, err := openRepository(ctx, m.cache, tools)
	if err != nil {
		return err
	}
	m.tools = tree(filepath.Join(m.cache, "tools"))
	debs, err := r.closure(ctx, "base-files", "qemu-system-x86", "qemu-system-arm", "kmod", "xz-utils", "libnl-utils")
	if err != nil {
		return err
	}
	return r.unpack(ctx, debs, string(m.tools))
}

// initrd writes the guest's first file system: this program, the modules and libnl's program.
func (m *machine) initrd(ctx context.Context, file, kernel string, libnl tree) error {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	c := &cpioWriter{w: z}
	for _, dir := range []string{"dev", "proc", "sys", "tmp", workDir[1:], outputDir[1:], "modules", "lib64", "lib", "usr", "usr/bin", "usr/lib", "etc"} {
		c.dir(dir)
	}
	c.char("dev/console", 5, 1)
	init := filepath.Join(m.dir(), "init")
	if _, err := output(m.goCommand(ctx, ".", "build", "-o", init, "./internal/test/kernels")); err != nil {
		return err
	}
	if err := addFile(c, "init", init); err != nil {
		return err
	}
	paths, err := modules(ctx, m.tools, kernel, m.version)
	if err != nil {
		return err
	}
	for i, path := range paths {
		data, err := readModule(ctx, m.tools, filepath.Join(kernel, "lib/modules", m.version, path))
		if err != nil {
			return err
		}
		c.file(fmt.Sprintf("modules/%03d-%s.ko", i, moduleName(path)), data)
	}
	if err := addLibnl(c, libnl); err != nil {
		return err
	}
	if err := errors.Join(c.close(), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// addLibnl adds genl-ctrl-list with its loader and libraries.
func addLibnl(c *cpioWriter, from tree) error {
	err := addFile(c, "usr/bin/genl-ctrl-list", from.path("/usr/bin/genl-ctrl-list"))
	patterns := []string{"lib64/ld-linux-*.so.*", "lib/ld-linux-*.so.*"}
	libs, _ := filepath.Glob(from.path("/usr/lib/*-linux-gnu"))
	for _, dir := range libs {
		rel, _ := filepath.Rel(string(from), dir)
		c.dir(rel)
		for _, lib := range []string{"libc.so.6", "libm.so.6", "libnl-*.so.*"} {
			patterns = append(patterns, filepath.Join(rel, lib))
		}
	}
	for _, pattern := range patterns {
		files, _ := filepath.Glob(from.path(pattern))
		for _, file := range files {
			rel, _ := filepath.Rel(string(from), file)
			err = errors.Join(err, addFile(c, rel, file))
		}
	}
	return err
}

func addFile(c *cpioWriter, name, path string) error {
	data, err := os.ReadFile(path)
	if err == nil {
		c.file(name, data)
	}
	return err
}

// boot runs the machine until it powers off.
func (m *machine) boot(ctx context.Context, kernel, initrd, payload string) error {
	results, log := m.resultsDisk(), filepath.Join(m.dir(), "console")
	// qemu writes over an old log, which has a marker.
	err := errors.Join(os.WriteFile(log, nil, 0o644), os.WriteFile(results, nil, 0o644), os.Truncate(results, resultsSize))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	image := filepath.Join(kernel, "boot", "vmlinuz-"+m.version)
	if _, err := os.Stat(image); err != nil { // since 6.19
		image = filepath.Join(kernel, "lib/modules", m.version, "vmlinuz")
	}
	cmd := m.qemu(ctx, image, initrd, payload, results, log)
	_, err = output(cmd)
	console, _ := os.ReadFile(log)
	if err == nil && !bytes.Contains(console, []byte(guestMarker)) {
		err = errors.New("the guest ended without its marker")
	}
	if err != nil {
		return fmt.Errorf("%w\nthe end of the console:\n%s", err, console[max(0, len(console)-4000):])
	}
	return nil
}

func (m *machine) resultsDisk() string { return filepath.Join(m.dir(), "results.tar") }

// qemu returns the command of the emulator.
func (m *machine) qemu(ctx context.Context, kernel, initrd, payload, results, log string) *exec.Cmd {
	program, console := "/usr/bin/qemu-system-x86_64", "ttyS0"
	args := []string{"-machine", "q35", "-cpu", "qemu64"}
	if m.arch == "arm64" {
		program, console = "/usr/bin/qemu-system-aarch64", "ttyAMA0"
		args = []string{"-machine", "virt", "-cpu", "cortex-a57"}
	}
	args = append(args, "-accel", "tcg,thread=multi", "-m", "1536", "-smp", "1", "-no-reboot", "-display", "none", "-monitor", "none",
		"-nodefaults", "-serial", "file:"+log, "-L", m.tools.path("/usr/share/qemu"), "-L", m.tools.path("/usr/share/seabios"),
		"-kernel", kernel, "-initrd", initrd,
		"-drive", "file="+payload+",format=raw,if=virtio,readonly=on", "-drive", "file="+results+",format=raw,if=virtio",
		// fb_tunnels: tunnel modules must not create devices in every namespace.
		"-append", "console="+console+" panic=-1 quiet loglevel=2 fb_tunnels=none")
	return m.tools.command(ctx, program, args...)
}
