package ctrl

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// The kernel refuses a UINT like the Checker. page-pool-get of netdev has one with a range
// from 1 to 2^32-1, and changes nothing.
func TestUintRefusedAsByTheKernel(t *testing.T) {
	const cmdPagePoolGet, attrID = 5, 1
	c := kernel{}.client(t)
	f, err := c.Family(t.Context(), "netdev")
	if errors.Is(err, ErrUnknown) {
		t.Skip("this kernel has no family netdev: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Op(cmdPagePoolGet); !ok {
		t.Skip("netdev of this kernel has no page-pool-get")
	}
	var tests [][]byte
	for _, v := range []uint64{0, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		tests = append(tests, nla.AppendUint64(nil, attrID, v))
	}
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12} {
		for _, fill := range []byte{0, 1, 0xff} {
			payload := make([]byte, n)
			for i := range min(n, 4) {
				payload[i] = fill
			}
			tests = append(tests, nla.AppendBytes(nil, attrID, payload))
		}
	}
	refused := 0
	liberal, strict := checkers(t, c, &f, cmdPagePoolGet)
	for _, attrs := range tests {
		r := f.Request(c.conn, cmdPagePoolGet, nlmsg.FlagRequest|nlmsg.FlagAck)
		r.B = append(r.B, attrs...)
		_, verdict := c.conn.Do(t.Context(), r)
		for _, k := range []*Checker{liberal, strict} {
			if err := k.Check(nlmsg.Msg(r.B)); err != nil {
				refused++
				sameRefusal(t, fmt.Sprintf("% x", attrs), err, verdict)
			}
		}
		r.Release()
	}
	if refused < 2*16 {
		t.Errorf("%d of %d requests refused", refused, 2*len(tests))
	}
}
