// Command kernels runs the project's tests on other kernels, each in a virtual machine:
//
//	go run ./internal/test/kernels [-table docs/kernels.md] [6.1 6.12 ...]
//
// Everything that it needs comes from Debian: apt looks up the packages, downloads them into a
// cache and verifies them, and dpkg-deb unpacks them there. Nothing is installed. The cache is
// $NLWIRE_CACHE, or nlwire-kernels in the user's cache directory.
//
// It needs Linux on amd64 with apt-get and dpkg-deb, and root, because it compiles the kernel
// modules of internal/test/module in a chroot. The virtual machine needs no KVM.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options limit what is tested.
type options struct{ only, pattern string }

// has reports whether a package is tested.
func (o options) has(name string) bool {
	return o.only == "" || slices.Contains(strings.Fields(o.only), name)
}

func main() {
	if os.Getpid() == 1 {
		runGuest()
	}
	table := flag.String("table", "", "write the results into the table of this `file`")
	var o options
	flag.StringVar(&o.only, "only", "", "the `names` of packages to test, separated by spaces, instead of all")
	flag.StringVar(&o.pattern, "run", "", "a `pattern` of tests, as for go test")
	flag.Parse()
	if *table != "" && o != (options{}) {
		fmt.Fprintln(os.Stderr, "kernels: -table needs all tests: do not use -only and -run")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	reports, err := runAll(ctx, flag.Args(), o)
	if err == nil && *table != "" {
		err = writeTable(*table, reports)
	}
	for _, r := range reports {
		fmt.Println(r.line())
		if !r.ok() {
			err = cmp.Or(err, fmt.Errorf("%s: %s", r.Kernel, r.problem()))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

// runAll runs the tests on the kernels with these names, or on all that are not only on request.
func runAll(ctx context.Context, names []string, o options) ([]*report, error) {
	var chosen []target
	for _, t := range targets {
		if slices.Contains(names, t.name) || len(names) == 0 && !t.onRequest {
			chosen = append(chosen, t)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(targets, func(t target) bool { return t.name == name }) {
			return nil, fmt.Errorf("no kernel %q; the kernels are %s", name, targetNames())
		}
	}
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	var reports []*report
	for _, t := range chosen {
		m := &machine{target: t, cache: cache, options: o}
		start := time.Now()
		r, err := m.run(ctx)
		if err != nil {
			return reports, fmt.Errorf("%s: %w", t.name, err)
		}
		r.Seconds = time.Since(start).Seconds()
		reports = append(reports, r)
	}
	return reports, nil
}

// cacheDir returns the directory for packages, unpacked trees and results.
func cacheDir() (string, error) {
	if dir := os.Getenv("NLWIRE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir() // $XDG_CACHE_HOME or ~/.cache
	return filepath.Join(dir, "nlwire-kernels"), err
}

func targetNames() string {
	var names []string
	for _, t := range targets {
		names = append(names, t.name)
	}
	return strings.Join(names, " ")
}
