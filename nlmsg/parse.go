package nlmsg

import (
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// msgHeader is the text for a message that is too short for its fixed header.
const msgHeader = "Invalid header length"

// Parse validates the attributes after a family's fixed header of hdrlen bytes
// and fills tb, as policy.Parse does (nlmsg_parse). The offset of its
// *policy.Error counts from the start of the message, as NLMSGERR_ATTR_OFFS
// does. A message too short for the header is refused with EINVAL, as
// every message is for a negative hdrlen.
func Parse(tb []nla.Attr, m Msg, hdrlen int, p *policy.Policy, mode policy.Mode) error {
	var r policy.Report
	if errno := ParseReport(tb, m, hdrlen, p, mode, &r); errno != 0 {
		return policyError(errno, &r)
	}
	return nil
}

// ParseReport is Parse for those who answer as the kernel, see policy.ParseReport:
// the report may hold a warning on success. It never allocates.
func ParseReport(tb []nla.Attr, m Msg, hdrlen int, p *policy.Policy, mode policy.Mode, report *policy.Report) errno.Errno {
	if hdrlen < 0 || hdrlen > len(m)-HeaderLen {
		report.Msg = msgHeader
		return errno.EINVAL
	}
	attrs := m.Attrs(hdrlen)
	earlier := report.HasAttr // what was reported before keeps its offset
	report.HasAttr = false
	errno := policy.ParseReport(tb, attrs, p, mode, report)
	if report.HasAttr {
		report.Offset += len(m) - len(attrs)
	}
	report.HasAttr = report.HasAttr || earlier
	return errno
}

//go:noinline
func policyError(errno errno.Errno, r *policy.Report) error {
	return &policy.Error{Errno: errno, Report: *r}
}
