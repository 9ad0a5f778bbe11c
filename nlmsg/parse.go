package nlmsg

import (
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// msgHeader is the kernel's text for a message that is too short for its fixed header.
const msgHeader = "Invalid header length"

// Parse validates the attributes after a family's fixed header of hdrlen bytes and fills tb, like
// policy.Parse (nlmsg_parse). The offset in its *policy.Error counts from the start of the
// message, as NLMSGERR_ATTR_OFFS does. Parse returns EINVAL if the message is too short for the
// header or hdrlen is negative.
func Parse(tb *nla.Table, m Msg, hdrlen int, p *policy.Policy, mode policy.Mode) error {
	var r policy.Report
	if errno := ParseReport(tb, m, hdrlen, p, mode, &r); errno != 0 {
		return policyError(errno, &r)
	}
	return nil
}

// ParseReport is Parse for servers that answer as the kernel does; see policy.ParseReport. report
// may contain a warning on success. ParseReport never allocates.
func ParseReport(tb *nla.Table, m Msg, hdrlen int, p *policy.Policy, mode policy.Mode, report *policy.Report) errno.Errno {
	if hdrlen < 0 || hdrlen > len(m)-HeaderLen {
		report.Msg = msgHeader
		return errno.EINVAL
	}
	attrs := m.Attrs(hdrlen)
	earlier := report.HasAttr // an earlier report keeps its offset
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
