package netlink_test

import (
	"errors"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The allocations stated in docs/migrating.md.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops the contents of pools")
	}
	c, err := netlink.Dial(unix.NETLINK_GENERIC, nil)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Skip("qemu-user supports some protocols only: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	noop := netlink.Message{Header: netlink.Header{Type: netlink.Noop, Flags: netlink.Request | netlink.Acknowledge}}
	encoded := encode32(t)
	for name, row := range map[string]struct {
		want float64
		f    func()
	}{
		"NOOP with ACK": {1, func() {
			if _, err := c.Execute(noop); err != nil {
				t.Error(err)
			}
		}},
		"decoding": {0, func() {
			ad, err := netlink.NewAttributeDecoder(encoded)
			for err == nil && ad.Next() {
				if ad.Uint32() != uint32(ad.Type()) {
					t.Error("unexpected value")
				}
			}
			if ad.Err() != nil {
				t.Error(ad.Err())
			}
		}},
		"encoding": {1, func() { encode32(t) }},
	} {
		if got := testing.AllocsPerRun(100, row.f); got != row.want {
			t.Errorf("%s: %v allocations, want %v", name, got, row.want)
		}
	}
}

func encode32(t *testing.T) []byte {
	ae := netlink.NewAttributeEncoder()
	for i := range uint32(32) {
		ae.Uint32(uint16(i), i)
	}
	b, err := ae.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
