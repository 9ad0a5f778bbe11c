package main

import (
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// The types of "typed-link", "typed-route", "typed-nft" and "typed-flow". ../c/typed.h has the same
// types. Their slices are views of the message.

type link struct {
	typ                                            uint16
	index, flags                                   uint32
	name, qdisc, kind, address, broadcast          []byte
	mtu, link, master, txqlen, group, promiscuity  uint32
	numTx, numRx, gsoSegs, gsoSize, changes, inet6 uint32
	operstate, mode, carrier, genMode              uint8
	stats                                          [8]uint64
}

type hop struct {
	index   uint32
	weight  uint8
	gateway []byte
}

type multipath struct {
	family, dstLen, kind  uint8
	table, priority, oif  uint32
	mtu, advMSS, initCwnd uint32
	dst, source, gateway  []byte
	hops                  [8]hop
	count                 int
}

type expr struct{ name, data []byte }

type rule struct {
	table, chain, userdata []byte
	handle, position       uint64
	exprs                  [16]expr
	count                  int
}

type tuple struct {
	src, dst uint32
	from, to uint16
	proto    uint8
}

type counters struct{ packets, bytes uint64 }

type flow struct {
	tuples                         [2]tuple
	counts                         [2]counters
	start                          uint64
	status, timeout, mark, id, use uint32
	state, scaleOrig, scaleReply   uint8
	flagsOrig, flagsReply          uint16
}

func (l *link) sum() uint64 {
	sum := uint64(l.typ) + uint64(l.index) + uint64(l.flags) +
		ofText(l.name) + ofText(l.qdisc) + ofText(l.kind) + ofText(l.address) + ofText(l.broadcast) +
		uint64(l.mtu) + uint64(l.link) + uint64(l.master) + uint64(l.txqlen) + uint64(l.group) +
		uint64(l.promiscuity) + uint64(l.numTx) + uint64(l.numRx) + uint64(l.gsoSegs) + uint64(l.gsoSize) +
		uint64(l.changes) + uint64(l.inet6) + uint64(l.operstate) + uint64(l.mode) + uint64(l.carrier) + uint64(l.genMode)
	for _, v := range l.stats {
		sum += v
	}
	return sum
}

func (r *multipath) sum() uint64 {
	sum := uint64(r.family) + uint64(r.dstLen) + uint64(r.kind) + uint64(r.table) + uint64(r.priority) + uint64(r.oif) +
		uint64(r.mtu) + uint64(r.advMSS) + uint64(r.initCwnd) + ofText(r.dst) + ofText(r.source) + ofText(r.gateway)
	for i := range r.hops[:r.count] {
		h := &r.hops[i]
		sum += uint64(h.index) + uint64(h.weight) + ofText(h.gateway)
	}
	return sum
}

func (r *rule) sum() uint64 {
	sum := ofText(r.table) + ofText(r.chain) + ofText(r.userdata) + r.handle + r.position
	for i := range r.exprs[:r.count] {
		sum += ofText(r.exprs[i].name) + ofText(r.exprs[i].data)
	}
	return sum
}

func (f *flow) sum() uint64 {
	sum := f.start + uint64(f.status) + uint64(f.timeout) + uint64(f.mark) + uint64(f.id) + uint64(f.use) +
		uint64(f.state) + uint64(f.scaleOrig) + uint64(f.scaleReply) + uint64(f.flagsOrig) + uint64(f.flagsReply)
	for i := range f.tuples {
		t, c := &f.tuples[i], &f.counts[i]
		sum += uint64(t.src) + uint64(t.dst) + uint64(t.from) + uint64(t.to) + uint64(t.proto) + c.packets + c.bytes
	}
	return sum
}

// ofText returns the checksum of a string or an address.
func ofText(p []byte) uint64 {
	if len(p) == 0 {
		return 0
	}
	return uint64(len(p)) + uint64(p[0]) + uint64(p[len(p)-1])
}

// setStats reads the first fields of a struct rtnl_link_stats64.
func (l *link) setStats(p []byte) error {
	if len(p) < 64 {
		return nla.ErrSize
	}
	for i := range l.stats {
		l.stats[i] = ne.Uint64(p[8*i:])
	}
	return nil
}

// walkAndCopy decodes a link and copies its strings and addresses, with one allocation.
func (l *link) walkAndCopy(p []byte) error {
	if err := l.walk(p); err != nil {
		return err
	}
	text := make([]byte, 0, len(l.name)+len(l.qdisc)+len(l.kind)+len(l.address)+len(l.broadcast))
	for _, s := range [...]*[]byte{&l.name, &l.qdisc, &l.kind, &l.address, &l.broadcast} {
		start := len(text)
		text = append(text, *s...)
		*s = text[start:len(text):len(text)]
	}
	return nil
}

// typed returns a column that decodes the payload of each message into a T and adds up the fields.
func typed[T any](decode func(*T, []byte) error, sum func(*T) uint64) column {
	return func(in *input.Set) (task, error) {
		v := new(T)
		return walking(func(d []byte, _ *input.Set) (total uint64, err error) {
			c := nlmsg.Walk(d)
			for ; c.More(); c = c.Next() {
				if c.Type() < nlmsg.MinType {
					continue
				}
				if err := decode(v, c.Msg().Payload()); err != nil {
					return 0, err
				}
				total += sum(v)
			}
			return total, c.Err()
		})(in)
	}
}

// nextHop reads a struct rtnexthop into the next element of hops. It returns the length of the next
// hop, attributes included.
func (r *multipath) nextHop(p []byte) (size int, err error) {
	if len(p) < unix.SizeofRtNexthop {
		return 0, nla.ErrTruncated
	}
	size = int(ne.Uint16(p))
	if size < unix.SizeofRtNexthop || size > len(p) {
		return 0, nla.ErrLength
	}
	if r.count == len(r.hops) {
		return 0, nla.ErrTooLong
	}
	h := &r.hops[r.count]
	h.weight, h.index = p[3], ne.Uint32(p[4:])
	return size, nil
}

// Numbers of enum ctattr_type.
const (
	ctaTupleOrig     = 1
	ctaTupleReply    = 2
	ctaStatus        = 3
	ctaProtoInfo     = 4
	ctaTimeout       = 7
	ctaMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	ctaUse           = 11
	ctaID            = 12
	ctaTimestamp     = 20
)
