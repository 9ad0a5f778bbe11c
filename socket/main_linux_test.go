package socket

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// init keeps the first thread for TestMain. Goroutines that enter a namespace end
// with their thread, but the runtime cannot end the first one.
func init() { runtime.LockOSThread() }

// TestMain fails the run when a test leaves a goroutine behind. Goroutines that
// are on their way out get the time they need.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzer leaves one that waits for signals
	}
	end := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(end) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before && code == 0 {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(os.Stderr, "%d goroutines before the tests, %d after them:\n%s\n", before, n, stacks)
		code = 1
	}
	os.Exit(code)
}
