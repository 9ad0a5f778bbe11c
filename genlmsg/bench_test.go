package genlmsg

import (
	"testing"
	"time"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// names is a variable. With constant names the compiler would simplify the code that is measured.
var names = [4]string{"nlctrl", "ethtool", "netdev", "tcp_metrics"}

//go:noinline
func getFamily(b []byte, seq uint32, name string) []byte {
	m := len(b)
	b = nlmsg.Begin(b, IDCtrl, nlmsg.FlagRequest, seq, 0)
	b = Append(b, CtrlCmdGetFamily, CtrlVersion)
	b = nla.AppendCString(b, CtrlAttrFamilyName, name)
	return nlmsg.End(b, m)
}

// getFamilyByHand performs the same stores without this project: it extends the buffer once, then
// writes each field, the name, the zeros and the length.
//
//go:noinline
func getFamilyByHand(b []byte, seq uint32, name string) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	h := b[start:]
	ne.PutUint16(h[4:], IDCtrl)
	ne.PutUint16(h[6:], uint16(nlmsg.FlagRequest))
	ne.PutUint32(h[8:], seq)
	h[16], h[17] = CtrlCmdGetFamily, CtrlVersion
	ne.PutUint16(h[20:], uint16(4+len(name)+1))
	ne.PutUint16(h[22:], CtrlAttrFamilyName)
	b = append(append(b, name...), 0)
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	ne.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

func TestGetFamilyByHandIsTheSame(t *testing.T) {
	for _, name := range names {
		if got, want := getFamily(nil, 7, name), getFamilyByHand(nil, 7, name); string(got) != string(want) {
			t.Errorf("%s: % x, by hand % x", name, got, want)
		}
	}
}

// BenchmarkGetFamily encodes a whole GETFAMILY request. The metric x/hand is the ratio to the
// handwritten stores, with both measured alternately.
func BenchmarkGetFamily(b *testing.B) {
	const turn = 1000
	buf := make([]byte, 0, 64)
	run := func(f func([]byte, uint32, string) []byte) time.Duration {
		start := time.Now()
		for i := range uint32(turn) {
			sinkBytes = f(buf[:0], i, names[i%4])
		}
		return time.Since(start)
	}
	var ours, hand time.Duration
	b.ReportAllocs()
	for b.Loop() {
		ours += run(getFamily)
		hand += run(getFamilyByHand)
	}
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N)/turn, "ns/request")
	b.ReportMetric(float64(ours)/float64(hand), "x/hand")
}
