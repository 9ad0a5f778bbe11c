package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// pack writes the files of a module version into a proxy directory, in the format of GOPROXY.
func (m releasedModule) pack(root, proxy string) error {
	dir := filepath.Join(proxy, filepath.FromSlash(m.path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	goMod, err := os.ReadFile(filepath.Join(root, m.dir, "go.mod"))
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"list":              m.version + "\n",
		m.version + ".info": fmt.Sprintf("{\"Version\":%q}\n", m.version),
		m.version + ".mod":  string(goMod),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(dir, m.version+".zip"))
	if err != nil {
		return err
	}
	if err := m.zip(f, root); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// zip writes the zip file of a module. Without a git repository it contains all files of the
// module's directory.
func (m releasedModule) zip(w io.Writer, root string) error {
	version := module.Version{Path: m.path, Version: m.version}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		return zip.CreateFromDir(w, version, filepath.Join(root, m.dir))
	}
	files, err := moduleFiles(root, m.dir)
	if err != nil {
		return err
	}
	return zip.Create(w, version, files)
}

// moduleFiles returns the files of a module: those that git tracks or does not ignore, so
// that uncommitted changes are tested, too. zip.Create omits the files of nested modules. A
// nested module without a license gets the license of the repository, as the go command
// adds it.
func moduleFiles(root, dir string) ([]zip.File, error) {
	git := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = filepath.Join(root, dir)
	git.Stderr = os.Stderr
	out, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	names := slices.Compact(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"))
	var files []zip.File
	for _, name := range names {
		file := moduleFile{name, filepath.Join(git.Dir, filepath.FromSlash(name))}
		if _, err := file.Lstat(); err == nil { // omit files that were deleted but not committed
			files = append(files, file)
		}
	}
	if !slices.Contains(names, "LICENSE") {
		files = append(files, moduleFile{"LICENSE", filepath.Join(root, "LICENSE")})
	}
	return files, nil
}

// moduleFile is a zip.File on disk.
type moduleFile struct{ name, at string }

func (f moduleFile) Path() string                 { return f.name }
func (f moduleFile) Lstat() (os.FileInfo, error)  { return os.Lstat(f.at) }
func (f moduleFile) Open() (io.ReadCloser, error) { return os.Open(f.at) }
