package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// flagCache caches the names of flags: most messages have the flags of an earlier message.
type flagCache map[flagKey][]string

type flagKey struct {
	flags nlmsg.Flags
	kind  nlmsg.Kind
}

// maxFlagNames limits the cache: a file may contain all flags.
const maxFlagNames = 1024

// of returns the names of flags of a kind of message.
func (n flagCache) of(f nlmsg.Flags, kind nlmsg.Kind) []string {
	key := flagKey{f, kind}
	list, ok := n[key]
	if ok {
		return list
	}
	if f != 0 {
		list = strings.Split(namesOfFlags(f, kind), "|")
	}
	if len(n) == maxFlagNames {
		clear(n)
	}
	n[key] = list
	return list
}

// kind returns the kind of the message, which determines the meaning of the upper flags.
func (v *view) kind(f nlmsg.Flags) nlmsg.Kind {
	k := flagsKind(v.protocol, v.m.Type(), f)
	if k != nlmsg.KindUnknown || v.op == nil {
		return k
	}
	switch {
	case v.protocol == socket.Generic:
	case strings.HasPrefix(v.op.Name, "get"):
		return nlmsg.KindGet
	case strings.HasPrefix(v.op.Name, "new"):
		return nlmsg.KindNew
	case strings.HasPrefix(v.op.Name, "del"):
		return nlmsg.KindDelete
	}
	return k
}

// namesOfFlags returns the names of flags: "request|dump". If the kind of the message is
// unknown, the upper flags have the names of all kinds.
func namesOfFlags(f nlmsg.Flags, kind nlmsg.Kind) string {
	if kind != nlmsg.KindUnknown {
		return f.Names(kind)
	}
	if f&nlmsg.FlagRequest != 0 && f&nlmsg.FlagDump == nlmsg.FlagDump {
		kind = nlmsg.KindGet
		return f.Names(kind)
	}
	var list []string
	if low := f & 0xff; low != 0 {
		list = append(list, low.String())
	}
	for bit := nlmsg.Flags(0x100); bit != 0; bit <<= 1 {
		if names := upperNames(f&bit, nlmsg.KindGet, nlmsg.KindNew); names != nil {
			list = append(list, strings.Join(names, "/"))
			f &^= bit
		}
	}
	if f &^= 0xff; f != 0 {
		list = append(list, f.String())
	}
	return strings.Join(list, "|")
}

// upperNames returns the names of an upper flag for kinds of messages. There are none for 0.
func upperNames(flag nlmsg.Flags, kinds ...nlmsg.Kind) (names []string) {
	for _, k := range kinds {
		if name := flag.Names(k); name[0] != '0' { // not a number
			names = append(names, name)
		}
	}
	return names
}

// parseFlags returns the flags of the option -flags.
func parseFlags(names []string) (f nlmsg.Flags, err error) {
	for _, name := range names {
		flag := flagOf(name)
		if flag == 0 {
			return 0, fmt.Errorf("-flags: unknown flag %q", name)
		}
		f |= flag
	}
	return f, nil
}

// flagOf returns the flag that decode prints with the name and that -flags can set, or 0.
func flagOf(name string) nlmsg.Flags {
	if name == nlmsg.FlagEcho.String() {
		return nlmsg.FlagEcho
	}
	for bit := nlmsg.Flags(0x100); bit != 0; bit <<= 1 {
		if slices.Contains(upperNames(bit, nlmsg.KindGet, nlmsg.KindNew, nlmsg.KindDelete), name) {
			return bit
		}
	}
	return 0
}

// flagsKind returns the kind that determines the upper flags of a message, as far as the
// protocol defines it. A Generic Netlink request with both bits of FlagDump is a dump,
// whatever its command (genl_family_rcv_msg). In rtnetlink the kind is part of the type.
func flagsKind(protocol socket.Protocol, t nlmsg.Type, f nlmsg.Flags) nlmsg.Kind {
	if t < nlmsg.MinType {
		return nlmsg.KindOf(t)
	}
	switch {
	case protocol == socket.Generic && f&nlmsg.FlagRequest != 0 && f&nlmsg.FlagDump == nlmsg.FlagDump:
		return nlmsg.KindGet
	case protocol == socket.Route:
		return [4]nlmsg.Kind{nlmsg.KindNew, nlmsg.KindDelete, nlmsg.KindGet, nlmsg.KindUnknown}[t&3]
	}
	return nlmsg.KindUnknown
}
