package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	mirror = "http://deb.debian.org/"
	keys   = "/usr/share/keyrings/debian-archive-keyring.gpg"
	// listsAge is the age after which the lists of packages are downloaded again.
	listsAge = 12 * time.Hour
)

// repository is a private configuration of apt: its own sources, lists, state and packages.
// It regards nothing as installed.
type repository struct {
	dir  string
	arch string
}

// openRepository writes the configuration of a target's repository and downloads its lists.
func openRepository(ctx context.Context, cache string, t target) (*repository, error) {
	r := &repository{dir: filepath.Join(cache, "apt", t.name), arch: t.arch}
	for _, dir := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(r.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{"apt.conf": r.config(t), "sources.list": t.sourcesList(), "status": ""} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	updated := filepath.Join(r.dir, "updated")
	if info, err := os.Stat(updated); err == nil && time.Since(info.ModTime()) < listsAge {
		return r, nil
	}
	// Without this option a failed download is a warning.
	if _, err := r.run(ctx, "apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"); err != nil {
		return nil, fmt.Errorf("cannot download Debian's lists of packages: %w", err)
	}
	return r, os.WriteFile(updated, nil, 0o644)
}

// sourcesList returns the text of sources.list.
func (t target) sourcesList() string {
	var b strings.Builder
	for _, s := range t.sources {
		fmt.Fprintf(&b, "deb [signed-by=%s] %s%s %s main\n", keys, mirror, s.archive, s.suite)
	}
	return b.String()
}

func (r *repository) config(t target) string {
	const text = `Dir::Etc::sourcelist "DIR/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "DIR/lists";
Dir::State::status "DIR/status";
Dir::State::extended_states "DIR/extended_states";
Dir::Cache "DIR";
Dir::Cache::archives "DIR/archives";
APT::Architecture "ARCH";
APT::Architectures { "ARCH"; };
APT::Default-Release "RELEASE";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Retries "3";
`
	return strings.NewReplacer("DIR", r.dir, "ARCH", t.arch, "RELEASE", t.release).Replace(text)
}

// run runs a program of apt with the repository's configuration.
func (r *repository) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(r.dir, "apt.conf"), "LC_ALL=C")
	return output(cmd)
}

// output returns what a program writes. An error has the end of what it wrote to standard error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		text := bytes.TrimSpace(stderr.Bytes())
		return out, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text[max(0, len(text)-2000):])
	}
	return out, nil
}

// deb is a version of a package.
type deb struct{ name, version, arch string }

// file returns the name that apt gives to the file.
func (d deb) file() string {
	return d.name + "_" + strings.ReplaceAll(d.version, ":", "%3a") + "_" + d.arch + ".deb"
}

// closure returns the packages and all that they depend on.
func (r *repository) closure(ctx context.Context, packages ...string) ([]deb, error) {
	out, err := r.run(ctx, "apt-get", append([]string{"install", "--simulate", "-qq"}, packages...)...)
	return parseSimulation(out), err
}

// parseSimulation reads lines like
//
//	Inst libc6 (2.41-12+deb13u5 Debian:13.2/stable [amd64])
func parseSimulation(out []byte) (debs []deb) {
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[0] != "Inst" {
			continue
		}
		name, _, _ := strings.Cut(fields[1], ":")
		_, arch, _ := strings.Cut(line, "[")
		arch, _, _ = strings.Cut(arch, "]")
		debs = append(debs, deb{name, strings.TrimPrefix(fields[2], "("), arch})
	}
	return debs
}

// single returns the packages without what they depend on.
func (r *repository) single(ctx context.Context, packages ...string) ([]deb, error) {
	out, err := r.run(ctx, "apt-cache", append([]string{"show", "--no-all-versions"}, packages...)...)
	return parsePackages(out), err
}

// parsePackages reads the paragraphs of a list of packages.
func parsePackages(out []byte) (debs []deb) {
	var d deb
	for s := bufio.NewScanner(bytes.NewReader(append(out, '\n'))); s.Scan(); {
		field, value, _ := strings.Cut(s.Text(), ": ")
		switch field {
		case "Package":
			d.name = value
		case "Version":
			d.version = value
		case "Architecture":
			d.arch = value
		case "":
			if d.name != "" {
				debs = append(debs, d)
			}
			d = deb{}
		}
	}
	return debs
}

// kernelVersion returns the newest version of the kernel, as in /lib/modules. linux-image-ARCH
// depends on the package of that version.
func (r *repository) kernelVersion(ctx context.Context) (string, error) {
	out, err := r.run(ctx, "apt-cache", "depends", "linux-image-"+r.arch)
	if err != nil {
		return "", err
	}
	version := parseDepends(out, "linux-image-")
	if version == "" {
		return "", fmt.Errorf("linux-image-%s depends on no kernel: %s", r.arch, out)
	}
	return version, nil
}

// parseDepends returns the rest of the first package that starts with prefix and a digit.
func parseDepends(out []byte, prefix string) string {
	for line := range strings.Lines(string(out)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "Depends: ")
		version, ok := strings.CutPrefix(name, prefix)
		if ok && version != "" && version[0] >= '0' && version[0] <= '9' {
			return version
		}
	}
	return ""
}

// kernelPackages returns the packages with the kernel and its modules. Since 6.19 the image
// depends on one package for each.
func (r *repository) kernelPackages(ctx context.Context, version string) ([]deb, error) {
	debs, err := r.single(ctx, "linux-binary-"+version, "linux-modules-"+version, "linux-base-"+version)
	if err == nil && len(debs) > 1 {
		return debs, nil
	}
	return r.single(ctx, "linux-image-"+version)
}

// unpack downloads packages that are not in the cache, and unpacks them into dir. If dir has
// their contents already, it does nothing.
func (r *repository) unpack(ctx context.Context, debs []deb, dir string) error {
	if len(debs) == 0 {
		return errors.New("no packages")
	}
	var files []string
	for _, d := range debs {
		files = append(files, d.file())
	}
	stamp, want := filepath.Join(dir, "packages"), strings.Join(files, "\n")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if err := r.download(ctx, debs); err != nil {
		return fmt.Errorf("cannot download packages: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if _, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", filepath.Join(r.dir, "archives", file), dir)); err != nil {
			return err
		}
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// download downloads packages that are not in the cache. apt verifies them.
func (r *repository) download(ctx context.Context, debs []deb) error {
	archives := filepath.Join(r.dir, "archives")
	args := []string{"download", "-qq"}
	var missing []deb
	for _, d := range debs {
		if _, err := os.Stat(filepath.Join(archives, d.file())); err != nil {
			missing, args = append(missing, d), append(args, d.name+"="+d.version)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp(r.dir, "download-") // an interrupted download leaves parts of files
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(r.dir, "apt.conf"), "LC_ALL=C")
	cmd.Dir = dir
	if _, err := output(cmd); err != nil {
		return err
	}
	for _, d := range missing {
		if err := os.Rename(filepath.Join(dir, d.file()), filepath.Join(archives, d.file())); err != nil {
			return err
		}
	}
	return nil
}
