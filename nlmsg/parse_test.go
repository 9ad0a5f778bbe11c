package nlmsg

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The kernel's policies for the commands of the recorded requests.
var (
	getFamily = &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU16}, 2: {Kind: policy.KindNULString, Len: 15}}}
	devGet    = &policy.Policy{Attrs: []policy.Rule{1: policy.Min(policy.KindU32, 1)}}
	ethHeader = &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU32}, 2: {Kind: policy.KindNULString, Len: 15}, 3: policy.Mask(policy.KindU32, 0xf)}}
	stringSet = &policy.Policy{Attrs: []policy.Rule{1: policy.Nest(ethHeader), 2: {Kind: policy.KindNested}, 3: {Kind: policy.KindFlag}}}
)

// nlwire validates recorded requests that the kernel rejected. The answer composed from the
// result equals the recorded one, byte for byte, with all four combinations of options.
func TestVerdictsComposeTheKernelsAnswers(t *testing.T) {
	cases := map[int]struct { // by the index of the pair in the files
		policy *policy.Policy
		mode   policy.Mode
		errno  errno.Errno
	}{
		0:  {getFamily, policy.Liberal, 0},
		1:  {getFamily, policy.Liberal, 0}, // a warning
		2:  {getFamily, policy.Liberal, errno.EINVAL},
		7:  {devGet, policy.Strict, errno.ERANGE},
		9:  {stringSet, policy.Strict, errno.EINVAL},
		10: {stringSet, policy.Strict, errno.EINVAL},
	}
	for name, opts := range map[string]AckOptions{
		"acks-none": {}, "acks-cap": {Cap: true}, "acks-ext": {Ext: true}, "acks-extcap": {Cap: true, Ext: true},
	} {
		d := golden.Datagrams(t, name)
		for i, tt := range cases {
			request, answer := Msg(d[2*i]), Msg(d[2*i+1])
			var report policy.Report
			ext := ExtAck{Request: request}
			if ext.Errno = ParseReport(nil, request, 4, tt.policy, tt.mode, &report); ext.Errno != tt.errno {
				t.Errorf("%s, request %d: errno %d, want %d", name, i, ext.Errno, tt.errno)
			}
			ext.SetReport(&report, nil)
			got := AppendAck(nil, &ext, toPort(opts, answer.PortID()))
			if diff := cmp.Diff([]byte(answer), got); diff != "" {
				t.Errorf("%s, request %d: -kernel +nlwire:\n%s", name, i, diff)
			}
		}
	}
}

func TestParseCountsFromTheMessage(t *testing.T) {
	b := Begin(nil, 0x20, FlagRequest, 1, 0)
	b = append(b, 1, 2, 3, 4, 5, 0, 0, 0) // a fixed header of 5 bytes, padded
	b = nla.AppendUint32(b, 1, 0)
	m := Msg(End(b, 0))
	tb := &nla.Table{Slots: make([]uint32, 2)}
	var refused *policy.Error
	if err := Parse(tb, m, 5, devGet, policy.Strict); !errors.As(err, &refused) || refused.Offset != 24 || refused.Errno != errno.ERANGE {
		t.Errorf("%v, want offset 24", err)
	}
	ok := nla.AppendUint32(m[:24:24], 1, 7)
	if err := Parse(tb, ok, 5, devGet, policy.Strict); err != nil || tb.Uint32(1) != 7 {
		t.Errorf("%v, %v", tb, err)
	}
	for n := range 5 {
		if err := Parse(tb, m[:HeaderLen+n], 5, devGet, policy.Liberal); !errors.As(err, &refused) || refused.Msg != msgHeader || refused.HasAttr {
			t.Errorf("%d bytes of a 5-byte header: %v", n, err)
		}
	}
	if err := Parse(tb, m[:HeaderLen+5], 5, devGet, policy.Strict); err != nil {
		t.Errorf("the header without its padding: %v", err)
	}
}

// One report may collect several validations, like an extended ACK.
func TestReportsKeepTheirOffsets(t *testing.T) {
	bad := Begin(nil, 0x20, FlagRequest, 1, 0)
	bad = End(nla.AppendUint32(append(bad, 3, 2, 0, 0), 1, 0), 0)
	good := Begin(nil, 0x20, FlagRequest, 1, 0)
	good = End(append(good, 3, 2, 0, 0), 0)
	var report policy.Report
	ParseReport(nil, bad, 4, devGet, policy.Strict, &report)
	if errno := ParseReport(nil, good, 4, devGet, policy.Strict, &report); errno != 0 || !report.HasAttr || report.Offset != 20 {
		t.Errorf("errno %d, %+v; want the earlier offset, 20", errno, report)
	}
}

func TestSetReportKeepsToItsBuffer(t *testing.T) {
	rule := policy.Min(policy.KindU32, 1)
	be := policy.Rule{Kind: policy.KindBE32}
	var e ExtAck
	buf := e.SetReport(&policy.Report{Msg: "text", HasAttr: true, Offset: 20, Policy: &rule}, make([]byte, 2, 64))
	if string(e.Msg) != "text" || e.Offset != 20 || !bytes.Equal(e.Policy, policywire.AppendRule(nil, &rule)) || len(buf) != 2+len(e.Msg)+len(e.Policy) {
		t.Errorf("%+v in % x", e, buf)
	}
	var plain ExtAck
	if buf := plain.SetReport(&policy.Report{Policy: &be}, nil); len(buf) != 0 || plain.Policy != nil {
		t.Errorf("the kernel does not export be32 rules, got %+v", plain)
	}
}
