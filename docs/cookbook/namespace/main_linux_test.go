package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestNamespace(t *testing.T) {
	blue := kerneltest.NewNetNS(t)
	kerneltest.EnterNetNS(t)
	path := fmt.Sprintf("/proc/self/fd/%d", blue)
	var out bytes.Buffer
	err := run(t.Context(), &out, []string{path})
	if errors.Is(err, errno.EOPNOTSUPP) {
		t.Skip("this kernel has no veth links: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(out.String())
	if !slices.Contains(names, "there") || slices.Contains(names, "here") {
		t.Errorf("links of the other namespace: %q", names)
	}
	if err := run(t.Context(), &out, []string{path}); !errors.Is(err, errno.EEXIST) {
		t.Errorf("a second pair of the same name: %v, want EEXIST", err)
	}
	if err := run(t.Context(), &out, nil); err == nil {
		t.Error("no argument: no error")
	}
}
