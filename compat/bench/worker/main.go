// Command worker runs the cases of bench with the netlink implementation that it is built with. For
// each input line "CASE N" it runs the case N times and prints "NANOSECONDS ALLOCATIONS". With the
// argument -about it prints its modules.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-about" {
		about()
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// about prints the modules of the program and their replacements.
func about() {
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		replaced := "-"
		if d.Replace != nil {
			replaced = d.Replace.Path
		}
		fmt.Println(d.Path, d.Version, replaced)
	}
}

func serve() error {
	open := map[string]func(n int) (time.Duration, error){}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name string
		var n int
		if _, err := fmt.Sscan(lines.Text(), &name, &n); err != nil {
			return err
		}
		if open[name] == nil {
			set, ok := cases[name]
			if !ok {
				return fmt.Errorf("unknown case %q", name)
			}
			run, err := set()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if _, err := run(1); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			open[name] = run
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		took, err := open[name](n)
		runtime.ReadMemStats(&after)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(took.Nanoseconds(), after.Mallocs-before.Mallocs)
	}
	return lines.Err()
}
