package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The guest reads a tar archive from its first disk. planFile in it lists what to do. It writes
// another archive to its second disk, with the output of each step and resultsFile.
const (
	workDir     = "/work"   // where the guest unpacks the archive
	outputDir   = "/output" // what the steps print
	planFile    = "plan.json"
	resultsFile = "results.json"
	guestMarker = "GUEST-RC=0" // the guest's last line: without it, the guest did not finish
)

// A step runs a program, or loads a module, in the guest.
type step struct {
	Name    string
	Dir     string // in workDir
	Args    []string
	Env     []string
	Modules []string // to load before the program, in workDir
}

// A result is that of a step.
type result struct {
	Name    string
	Status  string // empty if the program succeeded
	Seconds float64
}

// writeTar writes files to an archive.
type tarWriter struct {
	*tar.Writer
}

func (w tarWriter) file(name string, mode int64, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// copy writes the file at path, with its mode.
func (w tarWriter) copy(name, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return w.file(name, int64(info.Mode().Perm()), data)
}

func (w tarWriter) json(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.file(name, 0o644, b)
}

// untar unpacks an archive into a directory.
func untar(r io.Reader, dir string) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(h.Name) {
			return &fs.PathError{Op: "unpack", Path: h.Name, Err: fs.ErrInvalid}
		}
		path := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, h.FileInfo().Mode().Perm())
		if err != nil {
			return err
		}
		_, err = io.Copy(f, t)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
