package improvements

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
)

// source returns the file that a function of package netlink is compiled from.
func source(f any) string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).FileLine(reflect.ValueOf(f).Pointer())
	return file
}

// isOriginal reports whether the tests were built with the original.
func isOriginal() bool { return strings.Contains(source(netlink.Dial), "/mdlayher/netlink@v") }

// TestImplementation says which implementation the tests run on.
func TestImplementation(t *testing.T) {
	file := source(netlink.Dial)
	if !isOriginal() && !strings.Contains(file, "compat/mdlayher") {
		t.Fatalf("%s is of neither implementation", file)
	}
	t.Log(file)
}
