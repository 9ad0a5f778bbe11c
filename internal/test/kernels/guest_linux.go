package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	payloadDisk = "/dev/vda"
	resultsDisk = "/dev/vdb"
	stepTimeout = 10 * time.Minute
)

// runGuest is the first process of the guest. It does not return.
func runGuest() {
	err := guest()
	if err == nil {
		fmt.Println(guestMarker)
	} else {
		fmt.Println("guest:", err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

func guest() error {
	for _, m := range []struct{ kind, dir string }{
		{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"tmpfs", workDir}, {"tmpfs", outputDir},
	} {
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	for _, env := range []string{"PATH=/usr/bin:" + workDir + "/bin", "HOME=/tmp", "TMPDIR=/tmp"} {
		name, value, _ := strings.Cut(env, "=")
		os.Setenv(name, value)
	}
	if err := upLoopback(); err != nil {
		return err
	}
	loadAll()
	disk, err := waitFor(payloadDisk)
	if err != nil {
		return err
	}
	if err := untar(disk, workDir); err != nil {
		return fmt.Errorf("unpack %s: %w", payloadDisk, err)
	}
	var steps []step
	if err := readJSON(filepath.Join(workDir, planFile), &steps); err != nil {
		return err
	}
	var results []result
	for _, s := range steps {
		r := s.run()
		fmt.Printf("guest: %s %.1f s %s\n", r.Name, r.Seconds, r.Status)
		results = append(results, r)
	}
	return writeResults(results)
}

// waitFor opens a disk, which appears a moment after its driver is loaded.
func waitFor(path string) (f *os.File, err error) {
	for range 100 {
		if f, err = os.Open(path); !errors.Is(err, os.ErrNotExist) {
			return f, err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, err
}

// upLoopback sets the loopback device up.
func upLoopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}

// loadAll loads the modules of the first file system in the order of their names. A module whose
// device is missing is not loaded.
func loadAll() {
	files, _ := filepath.Glob("/modules/*.ko")
	for _, file := range files {
		if err := load(file); err != nil {
			fmt.Println("guest: not loaded:", err)
		}
		os.Remove(file) // it occupies memory
	}
}

func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && err != unix.EEXIST {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return nil
}

func (s *step) run() result {
	start := time.Now()
	err := s.execute()
	r := result{Name: s.Name, Seconds: time.Since(start).Seconds()}
	if err != nil {
		r.Status = err.Error()
	}
	return r
}

func (s *step) execute() error {
	for _, file := range s.Modules {
		if err := load(filepath.Join(workDir, file)); err != nil {
			return err
		}
	}
	out, err := os.Create(filepath.Join(outputDir, s.Name))
	if err != nil {
		return err
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Args[0], s.Args[1:]...)
	cmd.Dir, cmd.Env = filepath.Join(workDir, s.Dir), append(os.Environ(), s.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	return cmd.Run()
}

// writeResults writes the output of the steps and their results to the second disk.
func writeResults(results []result) error {
	disk, err := os.OpenFile(resultsDisk, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := tarWriter{tar.NewWriter(disk)}
	for _, r := range results {
		err = errors.Join(err, w.copy(r.Name, filepath.Join(outputDir, r.Name)))
	}
	return errors.Join(err, w.json(resultsFile, results), w.Close(), disk.Sync(), disk.Close())
}
