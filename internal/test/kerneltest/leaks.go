package kerneltest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Main is a TestMain that fails the run when a test leaves a goroutine or a
// descriptor behind. Those that are on their way out get the time they need.
func Main(m *testing.M) {
	if r, w, err := os.Pipe(); err == nil { // starts the poller, which has descriptors of its own
		r.Close()
		w.Close()
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzer leaves one that waits for signals
	}
	if runtime.GOOS == "js" {
		os.Exit(code) // so does the event loop
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if runtime.NumGoroutine() <= goroutines && openFiles() <= files {
			break
		}
	}
	if n := runtime.NumGoroutine(); n > goroutines && code == 0 {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(os.Stderr, "%d goroutines before the tests, %d after them:\n%s\n", goroutines, n, stacks)
		code = 1
	}
	if n := openFiles(); n > files && code == 0 {
		fmt.Fprintf(os.Stderr, "%d descriptors before the tests, %d after them\n", files, n)
		code = 1
	}
	os.Exit(code)
}

// openFiles counts the descriptors of the process, where that can be seen.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
