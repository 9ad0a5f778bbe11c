package main

import (
	"fmt"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The header sizes of rtnetlink agree with the field sizes in linux/rtnetlink.h and other
// headers.
func TestRouteHeaders(t *testing.T) {
	var (
		ifinfomsg = []int{1, 1, 2, 4, 4, 4}
		ifaddrmsg = []int{1, 1, 1, 1, 4}
		tcmsg     = []int{1, 1, 2, 4, 4, 4, 4}
		nhmsg     = []int{1, 1, 1, 1, 4}
		rtgenmsg  = []int{1}
	)
	fields := map[string][]int{
		"link": ifinfomsg, "linkprop": ifinfomsg,
		"addr": ifaddrmsg, "multicast": ifaddrmsg, "anycast": ifaddrmsg,
		"route": {1, 1, 1, 1, 1, 1, 1, 1, 4},
		"neigh": {1, 1, 2, 4, 2, 1, 1},
		"rule":  {1, 1, 1, 1, 1, 1, 1, 1, 4},
		"qdisc": tcmsg, "tclass": tcmsg, "tfilter": tcmsg, "chain": tcmsg,
		"action": {1, 1, 2}, "neightbl": {1, 1, 2}, "dcb": {1, 1, 2},
		"prefix":    {1, 1, 2, 4, 1, 1, 1, 1},
		"nduseropt": {1, 1, 2, 4, 1, 1, 2, 4},
		"addrlabel": {1, 1, 1, 1, 4, 4},
		"netconf":   {1},
		"mdb":       {1, 4},
		"nsid":      rtgenmsg, "cachereport": rtgenmsg,
		"stats":   {1, 1, 2, 4, 4},
		"nexthop": nhmsg, "nexthopbucket": nhmsg,
		"vlan": {1, 1, 2, 4}, "tunnel": {1, 1, 2, 4},
	}
	for i, k := range routeKinds {
		size := 0
		for _, n := range fields[k.name] {
			size = (size+n-1)/n*n + n // a field is aligned to its size
		}
		if k.header != nla.Align(size) || size == 0 {
			t.Errorf("%s, type %d: header of %d bytes, want %d", k.name, 16+4*i, k.header, nla.Align(size))
		}
		delete(fields, k.name)
	}
	for name := range fields {
		t.Errorf("%s is missing", name)
	}
}

func TestFlagsKind(t *testing.T) {
	for _, test := range []struct {
		protocol socket.Protocol
		typ      nlmsg.Type
		flags    nlmsg.Flags
		want     nlmsg.Kind
	}{
		{socket.Generic, 20, nlmsg.FlagRequest | nlmsg.FlagDump, nlmsg.KindGet},
		{socket.Generic, 20, nlmsg.FlagRequest | nlmsg.FlagRoot, nlmsg.KindUnknown},
		{socket.Generic, 20, nlmsg.FlagDump, nlmsg.KindUnknown},
		{socket.Generic, nlmsg.TypeError, nlmsg.FlagRequest | nlmsg.FlagDump, nlmsg.KindAck},
		{socket.Route, nlmsg.TypeDone, 0, nlmsg.KindAck},
		{socket.Route, nlmsg.TypeNoop, 0, nlmsg.KindUnknown},
		{socket.Route, 16, 0, nlmsg.KindNew},
		{socket.Route, 17, 0, nlmsg.KindDelete},
		{socket.Route, 18, 0, nlmsg.KindGet},
		{socket.Route, 19, 0, nlmsg.KindUnknown},
		{socket.XFRM, 18, nlmsg.FlagRequest | nlmsg.FlagDump, nlmsg.KindUnknown},
	} {
		if got := flagsKind(test.protocol, test.typ, test.flags); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// Every protocol name and every number is accepted.
func TestParseProtocol(t *testing.T) {
	for protocol := range maxProtocol {
		for _, name := range []string{protocol.String(), fmt.Sprintf("%d", protocol), fmt.Sprintf("%#x", int(protocol))} {
			if got, err := parseProtocol(name); err != nil || got != protocol {
				t.Errorf("%q: %d, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"", "rout", "-1", "65536", "protocol 99"} {
		if got, err := parseProtocol(name); err == nil {
			t.Errorf("%q: %d", name, got)
		}
	}
}
