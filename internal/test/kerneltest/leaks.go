package kerneltest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Main is a TestMain that fails if the tests leak a goroutine or a descriptor. It waits for
// goroutines and descriptors that are about to end.
func Main(m *testing.M) {
	if r, w, err := os.Pipe(); err == nil { // starts the runtime's poller, which opens descriptors
		r.Close()
		w.Close()
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzer leaves a goroutine that waits for signals
	}
	if runtime.GOOS == "js" {
		os.Exit(code) // the event loop leaves a goroutine, too
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

// openFiles returns the number of descriptors of the process, or 0 if it is not available.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
