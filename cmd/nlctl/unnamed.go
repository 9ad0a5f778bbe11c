package main

import (
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// other reads a message of a protocol other than Generic Netlink: its header and
// attributes if no spec describes it.
func (d *decoder) other(v *view) {
	if d.oldDump(v) {
		return
	}
	if v.spec != nil && v.op != nil && v.op.Set != nil && len(v.m) <= maxNamed {
		return
	}
	header := netfilterHeader
	switch v.protocol {
	case socket.Route:
		size, ok := routeHeader(v.m)
		if !ok {
			v.payload = v.m.Payload()
			return
		}
		header = size
	case socket.Netfilter:
	default:
		v.payload = v.m.Payload()
		return
	}
	p := v.m.Payload()
	v.body = &body{header: p[:min(header, len(p))], attrs: v.m.Attrs(header), rules: rulesOf(nil)}
}

// attrExtMask is IFLA_EXT_MASK, the only attribute of old dump requests.
const attrExtMask = 29

// linkHeader is the size of struct ifinfomsg.
const linkHeader = 16

// oldDump recognizes a dump request with the header of links and an attribute of links,
// which old programs send for every type. Without strict checking the kernel reads only
// the family in it.
func (d *decoder) oldDump(v *view) bool {
	m := v.m
	if v.protocol != socket.Route || m.Flags()&(nlmsg.FlagRequest|nlmsg.FlagDump) != nlmsg.FlagRequest|nlmsg.FlagDump {
		return false
	}
	header, ok := routeHeader(m)
	attrs := m.Attrs(linkHeader)
	if !ok || header == linkHeader || len(attrs) == 0 || wellFormed(m.Attrs(header)) == len(m.Attrs(header)) {
		return false
	}
	for a, err := range nla.All(attrs) {
		if err != nil || a.Type() != attrExtMask {
			return false
		}
	}
	links := d.specs.message(socket.Route, typeGetLink)
	if links == nil {
		return false
	}
	v.spec, v.op = links, links.OpByRequest(typeGetLink)
	v.note = "old dump request with the header of getlink"
	return true
}

// typeGetLink is RTM_GETLINK.
const typeGetLink = 18
