package original

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	if err := Check("github.com/google/go-cmp", cmp.Equal); err != nil {
		t.Error(err)
	}
	err := Check("github.com/mdlayher/netlink", cmp.Equal)
	if err == nil || !strings.Contains(err.Error(), "go-cmp") {
		t.Errorf("the function of another module passes: %v", err)
	}
	if err := Check("github.com/nlwire/nlwire", Check); err == nil {
		t.Error("a module without a version passes")
	}
}

func TestIsOf(t *testing.T) {
	const module = "github.com/mdlayher/netlink"
	for file, want := range map[string]bool{
		"/cache/github.com/mdlayher/netlink@v1.11.2/conn.go":             true,
		"github.com/mdlayher/netlink@v1.11.2/conn.go":                    true, // -trimpath
		"/home/compat/mdlayher/conn.go":                                  false,
		"/cache/github.com/fork/netlink@v1.11.2/conn.go":                 false,
		"/cache/example.github.com/mdlayher/netlink@v1/x.go":             false,
		"/cache/github.com/nlwire/nlwire/compat/mdlayher@v1.0.0/conn.go": false,
		"/src/vendor/github.com/mdlayher/netlink/conn.go":                false,
	} {
		if got := isOf(module, file); got != want {
			t.Errorf("%s: %v, want %v", file, got, want)
		}
	}
}
