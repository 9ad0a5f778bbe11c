package main

import (
	"bytes"
	"encoding/binary"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
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

// connectorLen is the size of struct cn_msg.
const connectorLen = 20

// connector reads a message of the connector: struct cn_msg and its data.
func (v *view) connector(m nlmsg.Msg) {
	p := m.Payload()
	if len(p) < connectorLen {
		v.err, v.payload = "message is shorter than struct cn_msg", p
		return
	}
	v.cn = &connector{
		idx: binary.NativeEndian.Uint32(p), val: binary.NativeEndian.Uint32(p[4:]),
		seq: binary.NativeEndian.Uint32(p[8:]), ack: binary.NativeEndian.Uint32(p[12:]),
		flags: binary.NativeEndian.Uint16(p[18:]), data: p[connectorLen:],
	}
}

// connector is struct cn_msg.
type connector struct {
	idx, val, seq, ack uint32
	flags              uint16
	data               []byte
}

// uevent prints an event of a device: texts, each followed by a NUL.
func (d *decoder) uevent(g *input.Datagram) (isBad bool) {
	v := d.newView(0, nil, len(g.Data))
	texts := bytes.Split(bytes.TrimSuffix(g.Data, []byte{0}), []byte{0})
	isText := true
	for _, t := range texts {
		isText = isText && isPrintable(t)
		v.uevent = append(v.uevent, string(t))
	}
	if !isText {
		v.uevent, v.payload = nil, g.Data
	}
	if g.Missing > 0 {
		v.err = "the end was not captured"
	}
	d.print(v)
	return v.err != ""
}
