package main

import (
	"bytes"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// exchanges pairs replies with requests by their sequence numbers and port IDs. It stores
// a limited number of requests.
type exchanges struct {
	byKey map[exchangeKey]*exchange
	ring  [maxExchanges]exchange
	next  int
}

const maxExchanges = 1024

// maxRequest is the number of bytes of a request that are stored, to explain an error.
const maxRequest = 4096

type exchangeKey struct {
	protocol socket.Protocol
	seq      uint32
}

// exchange is a request.
type exchange struct {
	key      exchangeKey
	datagram int
	port     uint32
	typ      nlmsg.Type
	spec     *ynl.Spec
	op       *ynl.Op
	request  []byte // its first bytes
}

// add stores a request.
func (x *exchanges) add(protocol socket.Protocol, datagram int, m nlmsg.Msg, spec *ynl.Spec, op *ynl.Op) {
	if x.byKey == nil {
		x.byKey = map[exchangeKey]*exchange{}
	}
	e := &x.ring[x.next]
	x.next = (x.next + 1) % maxExchanges
	if x.byKey[e.key] == e {
		delete(x.byKey, e.key)
	}
	e.key = exchangeKey{protocol, m.Seq()}
	e.datagram, e.port, e.typ, e.spec, e.op = datagram, m.PortID(), m.Type(), spec, op
	e.request = append(e.request[:0], m[:min(len(m), maxRequest)]...)
	x.byKey[e.key] = e
}

// find returns the request of a message from the kernel, nil if it is not known. A request
// may have port ID 0, which the kernel replaces.
func (x *exchanges) find(protocol socket.Protocol, m nlmsg.Msg) *exchange {
	if m.Flags()&nlmsg.FlagRequest != 0 || m.Seq() == 0 && m.PortID() == 0 {
		return nil
	}
	e := x.byKey[exchangeKey{protocol, m.Seq()}]
	if e == nil || e.port != 0 && m.PortID() != 0 && e.port != m.PortID() || !e.hasReply(protocol, m.Type()) {
		return nil
	}
	return e
}

// hasReply reports whether a reply of the type may answer the request.
func (e *exchange) hasReply(protocol socket.Protocol, t nlmsg.Type) bool {
	switch {
	case t < nlmsg.MinType:
		return true
	case protocol == socket.Route:
		return t&^3 == e.typ&^3
	case protocol == socket.Netfilter:
		return t>>8 == e.typ>>8
	case protocol == socket.Generic:
		return t == e.typ
	}
	return true
}

// answers returns the stored request if it is the one that an error message repeats.
func (e *exchange) answers(echo nlmsg.Msg) nlmsg.Msg {
	if e == nil || len(e.request) < nlmsg.HeaderLen || len(echo) < nlmsg.HeaderLen || !bytes.Equal(e.request[4:12], echo[4:12]) {
		return nil
	}
	return nlmsg.Msg(e.request)
}
