package nlmsg

import "github.com/nlwire/nlwire/nla"

// msgHeader is the text for a message that is too short for its fixed header.
const msgHeader = "Invalid header length"

// Parse validates the attributes behind a family's fixed header of hdrlen bytes
// and fills tb, as nla.Parse does (nlmsg_parse). The offset of its
// *nla.PolicyError counts from the start of the message, as NLMSGERR_ATTR_OFFS
// does. A message too short for the header is refused with EINVAL.
func Parse(tb []nla.Attr, m Msg, hdrlen int, p *nla.Policy, mode nla.Mode) error {
	var r nla.Report
	if errno := ParseReport(tb, m, hdrlen, p, mode, &r); errno != 0 {
		return policyError(errno, &r)
	}
	return nil
}

// ParseReport is Parse for those who answer as the kernel, see nla.ParseReport:
// the report may hold a warning on success. It never allocates.
func ParseReport(tb []nla.Attr, m Msg, hdrlen int, p *nla.Policy, mode nla.Mode, report *nla.Report) nla.Errno {
	if len(m) < HeaderLen+hdrlen {
		report.Msg = msgHeader
		return nla.EINVAL
	}
	attrs := m.Attrs(hdrlen)
	earlier := report.HasAttr // what was reported before keeps its offset
	report.HasAttr = false
	errno := nla.ParseReport(tb, attrs, p, mode, report)
	if report.HasAttr {
		report.Offset += len(m) - len(attrs)
	}
	report.HasAttr = report.HasAttr || earlier
	return errno
}

//go:noinline
func policyError(errno nla.Errno, r *nla.Report) error {
	return &nla.PolicyError{Errno: errno, Report: *r}
}

// SetReport makes e say what a validation reported, for AppendAck: its text,
// the offset, and the description of the rule where the kernel describes such
// rules. The text and the description are appended to buf, which it returns
// grown; e refers to it.
func (e *ExtAck) SetReport(r *nla.Report, buf []byte) []byte {
	if r.Msg != "" {
		start := len(buf)
		buf = append(buf, r.Msg...)
		e.Msg = buf[start:len(buf):len(buf)]
		e.Set(AttrMsg)
	}
	if r.HasAttr {
		e.Offset = uint32(r.Offset)
		e.Set(AttrOffs)
	}
	if r.Policy != nil && r.Policy.Kind.Exported() {
		start := len(buf)
		buf = nla.AppendRule(buf, r.Policy)
		e.Policy = buf[start:len(buf):len(buf)]
		e.Set(AttrPolicy)
	}
	return buf
}
