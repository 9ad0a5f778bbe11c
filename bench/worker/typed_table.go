package main

import (
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
)

// The same with tables, one for each level of nests. Lists are walked. The slots are not local
// arrays: these would be allocated, since the views that a table returns are kept.
var slots [3][128]uint32

// newTable returns a table for types up to max.
func newTable(level int, maxType uint16) nla.Table { return nla.Table{Slots: slots[level][:maxType+1]} }

func (l *link) fromTable(p []byte) error {
	if len(p) < unix.SizeofIfInfomsg {
		return nla.ErrTruncated
	}
	tb := newTable(0, unix.IFLA_CARRIER_DOWN_COUNT)
	if err := tb.Read(p[unix.SizeofIfInfomsg:]); err != nil {
		return err
	}
	nest := newTable(1, unix.AF_INET6)
	if err := nest.Read(tb.Bytes(unix.IFLA_LINKINFO)); err != nil {
		return err
	}
	kind := nest.Text(unix.IFLA_INFO_KIND)
	if err := nest.Read(tb.Bytes(unix.IFLA_AF_SPEC)); err != nil {
		return err
	}
	if err := nest.Read(nest.Bytes(unix.AF_INET6)); err != nil {
		return err
	}
	*l = link{
		typ: ne.Uint16(p[2:]), index: ne.Uint32(p[4:]), flags: ne.Uint32(p[8:]),
		name: tb.Text(unix.IFLA_IFNAME), qdisc: tb.Text(unix.IFLA_QDISC), kind: kind,
		address: tb.Bytes(unix.IFLA_ADDRESS), broadcast: tb.Bytes(unix.IFLA_BROADCAST),
		mtu: tb.Uint32(unix.IFLA_MTU), link: tb.Uint32(unix.IFLA_LINK), master: tb.Uint32(unix.IFLA_MASTER),
		txqlen: tb.Uint32(unix.IFLA_TXQLEN), group: tb.Uint32(unix.IFLA_GROUP),
		promiscuity: tb.Uint32(unix.IFLA_PROMISCUITY),
		numTx:       tb.Uint32(unix.IFLA_NUM_TX_QUEUES), numRx: tb.Uint32(unix.IFLA_NUM_RX_QUEUES),
		gsoSegs: tb.Uint32(unix.IFLA_GSO_MAX_SEGS), gsoSize: tb.Uint32(unix.IFLA_GSO_MAX_SIZE),
		changes: tb.Uint32(unix.IFLA_CARRIER_CHANGES), inet6: nest.Uint32(unix.IFLA_INET6_FLAGS),
		operstate: tb.Uint8(unix.IFLA_OPERSTATE), mode: tb.Uint8(unix.IFLA_LINKMODE),
		carrier: tb.Uint8(unix.IFLA_CARRIER), genMode: nest.Uint8(unix.IFLA_INET6_ADDR_GEN_MODE),
	}
	return l.setStats(tb.Bytes(unix.IFLA_STATS64))
}

func (r *multipath) fromTable(p []byte) error {
	if len(p) < unix.SizeofRtMsg {
		return nla.ErrTruncated
	}
	tb := newTable(0, unix.RTA_TABLE)
	if err := tb.Read(p[unix.SizeofRtMsg:]); err != nil {
		return err
	}
	nest := newTable(1, unix.RTAX_INITCWND)
	if err := nest.Read(tb.Bytes(unix.RTA_METRICS)); err != nil {
		return err
	}
	*r = multipath{
		family: p[0], dstLen: p[1], kind: p[7],
		dst: tb.Bytes(unix.RTA_DST), source: tb.Bytes(unix.RTA_PREFSRC), gateway: tb.Bytes(unix.RTA_GATEWAY),
		oif: tb.Uint32(unix.RTA_OIF), priority: tb.Uint32(unix.RTA_PRIORITY), table: tb.Uint32(unix.RTA_TABLE),
		mtu: nest.Uint32(unix.RTAX_MTU), advMSS: nest.Uint32(unix.RTAX_ADVMSS), initCwnd: nest.Uint32(unix.RTAX_INITCWND),
	}
	return r.walkHops(tb.Bytes(unix.RTA_MULTIPATH))
}

func (r *rule) fromTable(p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	tb := newTable(0, unix.NFTA_RULE_USERDATA)
	if err := tb.Read(p[4:]); err != nil {
		return err
	}
	*r = rule{
		table: tb.Text(unix.NFTA_RULE_TABLE), chain: tb.Text(unix.NFTA_RULE_CHAIN),
		userdata: tb.Bytes(unix.NFTA_RULE_USERDATA),
		handle:   tb.BE64(unix.NFTA_RULE_HANDLE), position: tb.BE64(unix.NFTA_RULE_POSITION),
	}
	nest := newTable(1, unix.NFTA_EXPR_DATA)
	c := nla.Walk(tb.Bytes(unix.NFTA_RULE_EXPRESSIONS))
	for ; c.More(); c = c.Next() {
		if r.count == len(r.exprs) {
			return nla.ErrTooLong
		}
		if err := nest.Read(c.Attr().Payload()); err != nil {
			return err
		}
		r.exprs[r.count] = expr{nest.Text(unix.NFTA_EXPR_NAME), nest.Bytes(unix.NFTA_EXPR_DATA)}
		r.count++
	}
	return c.Err()
}

func (f *flow) fromTable(p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	tb := newTable(0, ctaTimestamp)
	if err := tb.Read(p[4:]); err != nil {
		return err
	}
	*f = flow{
		status: tb.BE32(ctaStatus), timeout: tb.BE32(ctaTimeout), mark: tb.BE32(ctaMark),
		id: tb.BE32(ctaID), use: tb.BE32(ctaUse),
	}
	for i := range f.tuples {
		if err := f.tuples[i].fromTable(tb.Bytes(ctaTupleOrig + uint16(i))); err != nil {
			return err
		}
	}
	nest := newTable(1, 5)
	for i := range f.counts {
		if err := nest.Read(tb.Bytes(ctaCountersOrig + uint16(i))); err != nil {
			return err
		}
		f.counts[i] = counters{nest.BE64(1), nest.BE64(2)}
	}
	if err := nest.Read(tb.Bytes(ctaTimestamp)); err != nil {
		return err
	}
	f.start = nest.BE64(1)
	if err := nest.Read(tb.Bytes(ctaProtoInfo)); err != nil {
		return err
	}
	if err := nest.Read(nest.Bytes(1)); err != nil {
		return err
	}
	f.state, f.scaleOrig, f.scaleReply = nest.Uint8(1), nest.Uint8(2), nest.Uint8(3)
	f.flagsOrig, f.flagsReply = nest.Uint16(4), nest.Uint16(5)
	return nil
}

func (t *tuple) fromTable(p []byte) error {
	tb := newTable(1, 2)
	if err := tb.Read(p); err != nil {
		return err
	}
	nest := newTable(2, 3)
	if err := nest.Read(tb.Bytes(1)); err != nil {
		return err
	}
	t.src, t.dst = nest.BE32(1), nest.BE32(2)
	if err := nest.Read(tb.Bytes(2)); err != nil {
		return err
	}
	t.proto, t.from, t.to = nest.Uint8(1), nest.BE16(2), nest.BE16(3)
	return nil
}
