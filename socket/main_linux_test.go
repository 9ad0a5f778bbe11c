package socket

import (
	"runtime"
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// init keeps the first thread for TestMain. Goroutines that enter a namespace end
// with their thread, but the runtime cannot end the first one.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) { kerneltest.Main(m) }
