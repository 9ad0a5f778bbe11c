package policy

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// verdict is the result of a validation in the terms of an extended ACK.
type verdict struct {
	Errno  errno.Errno
	Msg    string
	Offset int    // -1 for none
	Policy string // the rule that the kernel reports, "" for none
}

func judge(b []byte, p *Policy, mode Mode) verdict {
	var r Report
	errno := ParseReport(nil, b, p, mode, &r)
	v := verdict{Errno: errno, Msg: r.Msg, Offset: -1}
	if r.HasAttr {
		v.Offset = r.Offset
	}
	if r.Policy != nil {
		v.Policy = r.Policy.String()
	}
	return v
}

// The tables of the kernel's families that the golden vectors were recorded with.
var (
	getFamily = &Policy{Attrs: []Rule{1: {Kind: KindU16}, 2: {Kind: KindNULString, Len: 15}}}
	getPolicy = &Policy{Attrs: []Rule{1: {Kind: KindU16}, 2: {Kind: KindNULString, Len: 15}, 10: {Kind: KindU32}}}
	devGet    = &Policy{Attrs: []Rule{1: Min(KindU32, 1)}}
	stringSet = &Policy{Attrs: []Rule{1: Nest(ethHeader), 2: {Kind: KindNested}, 3: {Kind: KindFlag}}}
	ethHeader = &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindNULString, Len: 15}, 3: Mask(KindU32, 0xf)}}
	tcpMetric = &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: ExactLen(16), 11: {Kind: KindU32}, 12: ExactLen(16)}}
)

func TestErrorReadsWell(t *testing.T) {
	err := Validate(nla.AppendUint32(nil, 1, 0), devGet, Strict)
	if got, want := err.Error(), "policy: integer out of range: attribute 1 at offset 0 (u32): numerical result out of range"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	var policy *Error
	if !errors.As(err, &policy) || policy.Errno != errno.ERANGE || policy.Policy != &devGet.Attrs[1] {
		t.Errorf("error %#v", err)
	}
}
