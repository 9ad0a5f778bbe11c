package netlink

import (
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// The sizes of linux/netlink.h. The original's tests use these names.
const (
	nlmsgHeaderLen = nlmsg.HeaderLen
	nlaHeaderLen   = nla.HeaderLen
)

func nlmsgAlign(n int) int  { return nlmsg.Align(n) }
func nlmsgLength(n int) int { return n + nlmsgHeaderLen }
func nlaAlign(n int) int    { return nla.Align(n) }
