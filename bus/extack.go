package bus

import (
	"strings"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

const (
	// maxCookie is the longest cookie (NETLINK_MAX_COOKIE_LEN).
	maxCookie = 8
	// maxText is the longest text that is sent. The kernel cuts those that it formats
	// at 80 bytes (NETLINK_MAX_FMTMSG_LEN); texts of errors may be any length.
	maxText = 512
)

// scratch has what the ExtAck of an Info refers to, kept for the next request.
type scratch struct {
	parsed       policy.Report // of the last validation
	text, report []byte
	cookie       [maxCookie]byte
}

// SetMsg sets the text of the answer, of which 512 bytes are sent, up to a NUL
// (NL_SET_ERR_MSG).
func (i *Info) SetMsg(text string) {
	i.scratch.text = append(i.scratch.text[:0], cut(text)...)
	if i.ExtAck.Msg = i.scratch.text; text == "" {
		i.ExtAck.Msg = nil
	}
}

// cut returns as much of a text as is sent.
func cut(text string) string {
	text, _, _ = strings.Cut(text[:min(len(text), maxText)], "\x00")
	return text
}

// SetAttr blames an attribute of the request, a view of it as Info.Attrs has, or
// one that is nested in those (NL_SET_BAD_ATTR). One that is not in the request
// is not reported. As in the kernel it takes back the policy that was named before.
func (i *Info) SetAttr(a nla.Attr) { i.ExtAck.Offset, i.ExtAck.Policy = i.offset(a), nil }

// SetAttrMsg blames an attribute and sets the text (NL_SET_ERR_MSG_ATTR).
func (i *Info) SetAttrMsg(a nla.Attr, text string) {
	i.SetAttr(a)
	i.SetMsg(text)
}

// SetMissing reports the type of an attribute that is missing, in a nest or, where
// that is nil, at the top level (NL_SET_ERR_ATTR_MISS).
func (i *Info) SetMissing(nest nla.Attr, typ uint16) {
	i.ExtAck.MissType, i.ExtAck.MissNest = uint32(typ), i.offset(nest)
}

// SetCookie sets the cookie, of which 8 bytes are sent (NL_SET_ERR_COOKIE...).
func (i *Info) SetCookie(cookie []byte) {
	n := copy(i.scratch.cookie[:], cookie)
	if i.ExtAck.Cookie = i.scratch.cookie[:n]; n == 0 {
		i.ExtAck.Cookie = nil
	}
}

// takeReport takes what the last validation reported.
func (i *Info) takeReport() {
	r := &i.scratch.parsed
	if r.HasAttr {
		i.ExtAck.Policy = nil
	}
	r.Msg = cut(r.Msg)
	i.scratch.report = i.ExtAck.SetReport(r, i.scratch.report[:0])
}

// offset returns the place of an attribute in the request, by its place in memory, 0 if it
// is not there.
func (i *Info) offset(a nla.Attr) uint32 {
	if len(a) == 0 {
		return 0
	}
	for at := 0; at < len(i.Msg); at += nla.AlignTo {
		if &i.Msg[at] == &a[0] {
			return uint32(at)
		}
	}
	return 0
}

// take adds what an error reports besides its number, and returns the number: EIO, with the
// text, for an error without one.
func (i *Info) take(err error) errno.Errno {
	e, ok := errno.Of(err)
	if !ok {
		i.SetMsg(err.Error())
		return errno.EIO
	}
	return e
}

// answer returns the ExtAck with the errno and the request, and how the port wants it.
func (i *Info) answer(e errno.Errno) (*nlmsg.ExtAck, nlmsg.AckOptions) {
	i.ExtAck.Errno, i.ExtAck.Request = e, i.Msg
	p := i.port
	return &i.ExtAck, nlmsg.AckOptions{PortID: p.id, Cap: p.has(socket.CapAck), Ext: p.has(socket.ExtAck)}
}

// slack is how much more the kernel sets aside for the description of a policy than
// it takes (netlink_policy_dump_attr_size_estimate).
func slack(e *nlmsg.ExtAck, opts nlmsg.AckOptions) int {
	if e.Errno == 0 || !opts.Ext || e.Policy == nil {
		return 0
	}
	r, _, err := policywire.ParseRule(e.Policy)
	if err != nil {
		return 0
	}
	return policySize(r.Kind) - nla.HeaderLen - len(e.Policy)
}

// policySize is the estimate: a nest, the type, and the details.
func policySize(k policy.Kind) int {
	const small, large = 8, 16 // an attribute of 4 bytes; one of 8 and padding
	switch k {
	case policy.KindFlag:
		return 2 * small
	case policy.KindBitfield32:
		return 3 * small
	case policy.KindNested, policy.KindNestedArray, policy.KindString, policy.KindNULString, policy.KindBinary:
		return 4 * small
	}
	return 2*small + 2*large
}
