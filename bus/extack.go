package bus

import (
	"slices"
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
	// maxText is the length of the longest text that is sent. The kernel truncates texts
	// that it formats to 80 bytes (NETLINK_MAX_FMTMSG_LEN); a handler's error may be of any
	// length.
	maxText = 512
)

// scratch contains the bytes that the ExtAck of an Info refers to. Each field of ExtAck has
// its own bytes, which change only when that field is set. They are reused by the next
// request.
type scratch struct {
	parsed       policy.Report // of the last validation
	text, policy []byte
	cookie       [maxCookie]byte
}

// SetMsg sets the text of the extended ACK (NL_SET_ERR_MSG). The text is copied, and cut
// after 512 bytes and at a NUL.
func (i *Info) SetMsg(text string) {
	text = cut(text)
	i.scratch.text = append(i.scratch.text[:0], text...)
	if i.ExtAck.Msg = i.scratch.text; text == "" {
		i.ExtAck.Msg = nil
	}
}

// cut returns the part of a text that SetMsg keeps.
func cut(text string) string {
	text, _, _ = strings.Cut(text[:min(len(text), maxText)], "\x00")
	return text
}

// SetAttr sets the offset of the invalid attribute and removes the policy, as the kernel
// does (NL_SET_BAD_ATTR). a must be a view of Info.Msg, such as an attribute in Info.Attrs
// or nested in one; for another attribute no offset is sent.
func (i *Info) SetAttr(a nla.Attr) { i.ExtAck.Offset, i.ExtAck.Policy = i.offset(a), nil }

// SetAttrMsg calls [Info.SetAttr] and [Info.SetMsg] (NL_SET_ERR_MSG_ATTR).
func (i *Info) SetAttrMsg(a nla.Attr, text string) {
	i.SetAttr(a)
	i.SetMsg(text)
}

// SetMissing sets the type of a missing attribute (NL_SET_ERR_ATTR_MISS). nest is the
// attribute that lacks it, a view of Info.Msg, or nil for the top level.
func (i *Info) SetMissing(nest nla.Attr, typ uint16) {
	i.ExtAck.MissType, i.ExtAck.MissNest = uint32(typ), i.offset(nest)
}

// SetCookie sets the cookie (nl_set_extack_cookie_u32, nl_set_extack_cookie_u64). The
// cookie is copied, and cut after 8 bytes.
func (i *Info) SetCookie(cookie []byte) {
	n := copy(i.scratch.cookie[:], cookie)
	if i.ExtAck.Cookie = i.scratch.cookie[:n]; n == 0 {
		i.ExtAck.Cookie = nil
	}
}

// validate validates attributes of the request and adds the report to ExtAck, with the
// offset counted from the start of the message.
func (i *Info) validate(tb *nla.Table, attrs []byte, p *policy.Policy, mode policy.Mode) errno.Errno {
	r := &i.scratch.parsed
	*r = policy.Report{}
	e := policy.ParseReport(tb, attrs, p, mode, r)
	if r.Msg != "" {
		i.SetMsg(r.Msg)
	}
	if r.HasAttr {
		i.ExtAck.Offset, i.ExtAck.Policy = i.offset(attrs)+uint32(r.Offset), nil
	}
	if r.Policy != nil && policywire.Exported(r.Policy.Kind) {
		rule := i.port.bus.features.exported(*r.Policy)
		i.setPolicy(policywire.AppendRule(i.scratch.policy[:0], &rule))
	}
	return e
}

// setPolicy sets the description of a rule; its bytes belong to the scratch.
func (i *Info) setPolicy(description []byte) {
	i.scratch.policy = description
	i.ExtAck.Policy = description
}

// copyAck copies the extended ACK of another Info, since the scratch of that Info is
// reused.
func (i *Info) copyAck(e nlmsg.ExtAck) {
	i.ExtAck = nlmsg.ExtAck{Offset: e.Offset, MissType: e.MissType, MissNest: e.MissNest}
	i.SetMsg(string(e.Msg))
	i.SetCookie(e.Cookie)
	if e.Policy != nil {
		i.setPolicy(append(i.scratch.policy[:0], e.Policy...))
	}
}

// offset returns the offset of b in the request, or 0 if b is not a view of it.
func (i *Info) offset(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	for at := 0; at < len(i.Msg); at += nla.AlignTo {
		if &i.Msg[at] == &b[0] {
			return uint32(at)
		}
	}
	return 0
}

// take returns the errno of a handler's error. For an error without an errno it returns EIO
// and puts the error's text into ExtAck.
func (i *Info) take(err error) errno.Errno {
	e, ok := errno.Of(err)
	if !ok {
		i.SetMsg(err.Error())
		return errno.EIO
	}
	return e
}

// answer completes ExtAck and returns it with the ACK options of the port.
func (i *Info) answer(e errno.Errno) (*nlmsg.ExtAck, nlmsg.AckOptions) {
	i.ExtAck.Errno, i.ExtAck.Request = e, i.Msg
	p := i.port
	if !p.bus.features.Has(FeatureMissing) {
		i.ExtAck.MissType, i.ExtAck.MissNest = 0, 0
	}
	return &i.ExtAck, nlmsg.AckOptions{PortID: p.id, Cap: p.has(socket.CapAck), Ext: p.has(socket.ExtAck)}
}

// moveCookie moves the cookie of an Error message after the offset.
func moveCookie(ack nlmsg.Msg, request int) {
	if ack.Flags()&nlmsg.FlagAckTLVs == 0 {
		return
	}
	start := nlmsg.HeaderLen + 4 + nlmsg.HeaderLen
	if ack.Flags()&nlmsg.FlagCapped == 0 {
		start += nlmsg.Align(request) - nlmsg.HeaderLen
	}
	for b := ack[start:]; len(b) > 0; {
		a, n := nla.Consume(b)
		if n < 0 || a.Type() > nlmsg.AttrCookie {
			return
		}
		if offset, m := nla.Consume(b[n:]); a.Type() == nlmsg.AttrCookie && m > 0 && offset.Type() == nlmsg.AttrOffs {
			copy(b, slices.Concat(b[n:n+m], b[:n]))
			return
		}
		b = b[n:]
	}
}

// slack returns by how many bytes the kernel's size estimate exceeds the actual size of a
// policy (netlink_policy_dump_attr_size_estimate).
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

// policySize returns the estimate: a nest, the type, and the details.
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
