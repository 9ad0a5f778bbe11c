package improvements

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
)

// source returns the source file of a function.
func source(f any) string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).FileLine(reflect.ValueOf(f).Pointer())
	return file
}

// isOriginal reports whether the tests are built with the original.
func isOriginal() bool { return strings.Contains(source(netlink.Dial), "/mdlayher/netlink@v") }

// TestImplementation logs the implementation in use.
func TestImplementation(t *testing.T) {
	file := source(netlink.Dial)
	if !isOriginal() && !strings.Contains(file, "compat/mdlayher") {
		t.Fatalf("%s belongs to neither implementation", file)
	}
	t.Log(file)
}
