package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// features runs the program and returns the lines that it prints.
func features(t *testing.T, args ...string) ([]string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), &out, args)
	if errors.Is(err, ctrl.ErrUnknown) {
		t.Skip("this kernel has no ethtool family: ", err)
	}
	return strings.Fields(out.String()), err
}

func TestFeatures(t *testing.T) {
	kerneltest.EnterNetNS(t)
	const feature = "tx-sctp-segmentation" // can be turned off on the loopback link
	isOn := func() bool {
		names, err := features(t, "lo")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(names, "loopback") {
			t.Fatalf("features of lo: %q, want loopback among them", names)
		}
		return slices.Contains(names, feature)
	}
	before := isOn()
	for _, state := range []string{"off", "on"} {
		if _, err := features(t, "lo", feature, state); err != nil {
			t.Fatal(err)
		}
		if isOn() != (state == "on") {
			t.Errorf("%s is not %s; before the test on=%v", feature, state, before)
		}
	}

	_, err := features(t, "nosuch")
	if refusal := (*conn.Error)(nil); !errors.As(err, &refusal) || refusal.Errno != errno.ENODEV || len(refusal.Path) != 2 {
		t.Errorf("a link that does not exist: %v", err)
	}
	if _, err := features(t); err == nil {
		t.Error("no arguments: no error")
	}
}
