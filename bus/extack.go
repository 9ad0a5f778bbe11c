package bus

import (
	"strings"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// maxCookie is the longest cookie (NETLINK_MAX_COOKIE_LEN).
const maxCookie = 8

// ExtAck is what a handler says besides the errno (struct netlink_ext_ack). It
// goes to a requester who asked for it; on success only the text, as a warning,
// and the cookie.
//
// As in the kernel what is said last stands, and what is said of the attribute
// takes back the policy that was named before.
type ExtAck struct {
	request nlmsg.Msg
	report  nla.Report
	cookie  [maxCookie]byte
	cookies int // bytes of it

	hasMiss     bool
	hasMissNest bool
	missType    uint32
	missNest    uint32
}

// SetMsg sets the text, of which 512 bytes are sent, up to a NUL (NL_SET_ERR_MSG).
func (e *ExtAck) SetMsg(text string) { e.report.Msg = text }

// SetAttr blames an attribute of the request, a view of it as Info.Attrs has, or
// one that is nested in those (NL_SET_BAD_ATTR). One that is not in the request
// is not told.
func (e *ExtAck) SetAttr(a nla.Attr) {
	offset, ok := e.offset(a)
	e.report.HasAttr, e.report.Offset, e.report.Type, e.report.Policy = ok, offset, a.Type(), nil
}

// SetAttrMsg blames an attribute and sets the text (NL_SET_ERR_MSG_ATTR).
func (e *ExtAck) SetAttrMsg(a nla.Attr, text string) {
	e.SetAttr(a)
	e.SetMsg(text)
}

// SetMissing tells the type of an attribute that is missing, in a nest or, where
// that is nil, at the top level (NL_SET_ERR_ATTR_MISS).
func (e *ExtAck) SetMissing(nest nla.Attr, typ uint16) {
	e.hasMiss, e.missType = typ != 0, uint32(typ)
	offset, ok := e.offset(nest)
	e.hasMissNest, e.missNest = ok, uint32(offset)
}

// SetCookie sets the cookie, of which 8 bytes are sent (NL_SET_ERR_COOKIE...).
func (e *ExtAck) SetCookie(cookie []byte) { e.cookies = copy(e.cookie[:], cookie) }

// offset finds where in the request an attribute is, by its place in memory.
func (e *ExtAck) offset(a nla.Attr) (offset int, ok bool) {
	if len(a) == 0 {
		return 0, false
	}
	for i := 0; i < len(e.request); i += nla.AlignTo {
		if &e.request[i] == &a[0] {
			return i, true
		}
	}
	return 0, false
}

// maxText is the longest text that is sent. The kernel cuts those that it formats
// at 80 bytes (NETLINK_MAX_FMTMSG_LEN); texts of errors may be any length.
const maxText = 512

// message makes of it what nlmsg composes answers from; the bytes go to buf.
func (e *ExtAck) message(buf []byte) (nlmsg.ExtAck, []byte) {
	var m nlmsg.ExtAck
	report := e.report
	report.Msg, _, _ = strings.Cut(report.Msg[:min(len(report.Msg), maxText)], "\x00")
	buf = m.SetReport(&report, buf)
	if e.cookies > 0 {
		m.Cookie = e.cookie[:e.cookies]
		m.Set(nlmsg.AttrCookie)
	}
	if e.hasMiss {
		m.MissType = e.missType
		m.Set(nlmsg.AttrMissType)
	}
	if e.hasMissNest {
		m.MissNest = e.missNest
		m.Set(nlmsg.AttrMissNest)
	}
	return m, buf
}

// slack is how much more the kernel sets aside for the description of a policy than
// it takes (netlink_policy_dump_attr_size_estimate).
func (e *ExtAck) slack(errno Errno, opts nlmsg.AckOptions) int {
	r := e.report.Policy
	if errno == 0 || !opts.Ext || r == nil || !r.Kind.Exported() {
		return 0
	}
	var description [64]byte
	return policySize(r.Kind) - nla.HeaderLen - len(nla.AppendRule(description[:0], r))
}

// policySize is the estimate: a nest, the type, and the details.
func policySize(k nla.Kind) int {
	const small, large = 8, 16 // an attribute of 4 bytes; one of 8 and padding
	switch k {
	case nla.KindFlag:
		return 2 * small
	case nla.KindBitfield32:
		return 3 * small
	case nla.KindNested, nla.KindNestedArray, nla.KindString, nla.KindNULString, nla.KindBinary:
		return 4 * small
	}
	return 2*small + 2*large
}

// take adds what an error says besides its number, and returns the number. What is
// no errno is EIO with its text.
func (e *ExtAck) take(err error) Errno {
	errno, ok := numberOf(err)
	if !ok {
		e.SetMsg(err.Error())
	}
	return errno
}

// ackOptions are those of the port's that shape its answers.
func (p *Port) ackOptions() nlmsg.AckOptions {
	return nlmsg.AckOptions{Cap: p.has(socket.CapAck), Ext: p.has(socket.ExtAck)}
}
