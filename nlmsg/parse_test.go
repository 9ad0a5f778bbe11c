package nlmsg

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
)

// The kernel's tables for the commands of the recorded requests.
var (
	getFamily = &nla.Policy{Attrs: []nla.Rule{1: {Kind: nla.KindU16}, 2: {Kind: nla.KindNULString, Len: 15}}}
	devGet    = &nla.Policy{Attrs: []nla.Rule{1: nla.Min(nla.KindU32, 1)}}
	ethHeader = &nla.Policy{Attrs: []nla.Rule{1: {Kind: nla.KindU32}, 2: {Kind: nla.KindNULString, Len: 15}, 3: nla.Mask(nla.KindU32, 0xf)}}
	stringSet = &nla.Policy{Attrs: []nla.Rule{1: nla.Nest(ethHeader), 2: {Kind: nla.KindNested}, 3: {Kind: nla.KindFlag}}}
)

// A request that the kernel refused, refused here: the answer composed from our
// verdict is the recorded one, byte for byte, with all four option sets.
func TestVerdictsComposeTheKernelsAnswers(t *testing.T) {
	cases := map[int]struct { // by number of the pair in the files
		policy *nla.Policy
		mode   nla.Mode
		errno  nla.Errno
	}{
		0:  {getFamily, nla.Liberal, 0},
		1:  {getFamily, nla.Liberal, 0}, // a warning
		2:  {getFamily, nla.Liberal, nla.EINVAL},
		7:  {devGet, nla.Strict, nla.ERANGE},
		9:  {stringSet, nla.Strict, nla.EINVAL},
		10: {stringSet, nla.Strict, nla.EINVAL},
	}
	for name, opts := range map[string]AckOptions{
		"acks-none": {}, "acks-cap": {Cap: true}, "acks-ext": {Ext: true}, "acks-extcap": {Cap: true, Ext: true},
	} {
		d := golden.Datagrams(t, name)
		for i, tt := range cases {
			request, answer := Msg(d[2*i]), Msg(d[2*i+1])
			var report nla.Report
			errno := ParseReport(nil, request, 4, tt.policy, tt.mode, &report)
			if errno != tt.errno {
				t.Errorf("%s, request %d: errno %d, want %d", name, i, errno, tt.errno)
			}
			var ext ExtAck
			ext.SetReport(&report, nil)
			got := AppendAck(nil, request, answer.PortID(), uint32(errno), &ext, opts)
			if diff := cmp.Diff([]byte(answer), got); diff != "" {
				t.Errorf("%s, request %d: -kernel +nlwire:\n%s", name, i, diff)
			}
		}
	}
}

func TestParseCountsFromTheMessage(t *testing.T) {
	b, mark := Begin(nil, 0x20, Request, 1, 0)
	b = append(b, 1, 2, 3, 4, 5, 0, 0, 0) // a fixed header of 5 bytes, padded
	b = nla.AppendUint32(b, 1, 0)
	m := Msg(End(b, mark))
	tb := make([]nla.Attr, 2)
	var refused *nla.PolicyError
	if err := Parse(tb, m, 5, devGet, nla.Strict); !errors.As(err, &refused) || refused.Offset != 24 || refused.Errno != nla.ERANGE {
		t.Errorf("%v, want offset 24", err)
	}
	ok := nla.AppendUint32(m[:24:24], 1, 7)
	if err := Parse(tb, ok, 5, devGet, nla.Strict); err != nil || nla.Table(tb).Uint32(1) != 7 {
		t.Errorf("%v, %v", tb, err)
	}
	for n := range 5 {
		if err := Parse(tb, m[:HeaderLen+n], 5, devGet, nla.Liberal); !errors.As(err, &refused) || refused.Msg != msgHeader || refused.HasAttr {
			t.Errorf("a header of %d bytes of 5: %v", n, err)
		}
	}
	if err := Parse(tb, m[:HeaderLen+5], 5, devGet, nla.Strict); err != nil {
		t.Errorf("the header and not even its padding: %v", err)
	}
}

// A report is filled by one validation after the other, as an extended ACK is.
func TestReportsKeepTheirOffsets(t *testing.T) {
	bad, mark := Begin(nil, 0x20, Request, 1, 0)
	bad = End(nla.AppendUint32(append(bad, 3, 2, 0, 0), 1, 0), mark)
	good, mark := Begin(nil, 0x20, Request, 1, 0)
	good = End(append(good, 3, 2, 0, 0), mark)
	var report nla.Report
	ParseReport(nil, bad, 4, devGet, nla.Strict, &report)
	if errno := ParseReport(nil, good, 4, devGet, nla.Strict, &report); errno != 0 || !report.HasAttr || report.Offset != 20 {
		t.Errorf("errno %d, %+v; want the earlier offset, 20", errno, report)
	}
}

func TestSetReportKeepsToItsBuffer(t *testing.T) {
	rule := nla.Min(nla.KindU32, 1)
	be := nla.Rule{Kind: nla.KindBE32}
	var e ExtAck
	buf := e.SetReport(&nla.Report{Msg: "text", HasAttr: true, Offset: 20, Policy: &rule}, make([]byte, 2, 64))
	if string(e.Msg) != "text" || e.Offset != 20 || !bytes.Equal(e.Policy, nla.AppendRule(nil, &rule)) || len(buf) != 2+len(e.Msg)+len(e.Policy) {
		t.Errorf("%+v in % x", e, buf)
	}
	var plain ExtAck
	if buf := plain.SetReport(&nla.Report{Policy: &be}, nil); len(buf) != 0 || plain.present != 0 {
		t.Errorf("the kernel does not describe be32, but %+v", plain)
	}
}
