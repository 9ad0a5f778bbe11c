package bus

import (
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// AllNetNS selects all network namespaces in [Family.Multicast].
const AllNetNS = -1

// multicast queues a datagram for the members of a group, except for the port with the
// excluded ID (netlink_broadcast_filtered). The error is ESRCH if no member received it,
// ENOBUFS if a member with socket.BroadcastError missed it.
func (b *Bus) multicast(netNS int, group uint32, data []byte, excluded uint32) error {
	b.table.RLock()
	defer b.table.RUnlock()
	delivered, failed := false, false
	for p := range b.listeners[group] {
		if excluded != 0 && p.id == excluded {
			continue
		}
		info := socket.Info{}
		if netNS != AllNetNS && p.netNS != netNS {
			if !p.has(socket.ListenAllNSID) {
				continue
			}
			info.NSID, info.HasNSID = int32(netNS), true
		}
		p.address32(&info, group)
		if p.put(data, info, goodSize) {
			delivered = true
		} else if p.has(socket.BroadcastError) {
			failed = true
		}
	}
	switch {
	case failed:
		return errno.ENOBUFS
	case !delivered:
		return errno.ESRCH
	}
	return nil
}

// address32 sets the destination groups of a multicast in info: the mask for the first 32
// groups, and the number if the port has set socket.PacketInfo.
func (p *Port) address32(info *socket.Info, group uint32) {
	if group > 0 && group <= 32 {
		info.Groups = 1 << (group - 1)
	}
	if p.has(socket.PacketInfo) {
		info.Group = group
	}
}

// unicast queues a datagram for a port.
func (b *Bus) unicast(to address, data []byte, info socket.Info) error {
	b.table.RLock()
	p := b.ports[to]
	b.table.RUnlock()
	if p == nil {
		return errno.ECONNREFUSED
	}
	if !p.put(data, info, goodSize) {
		return errno.EAGAIN
	}
	return nil
}

// Unicast sends a datagram from the bus to a port of a network namespace; no request is
// needed (genlmsg_unicast). The bytes are copied and not validated, so that tests can send
// malformed messages. The error is ECONNREFUSED if there is no such port, EAGAIN if its
// queue is full.
func (b *Bus) Unicast(netNS int, portID uint32, messages []byte) error {
	if b.ports == nil {
		return errZeroBus
	}
	return b.unicast(address{netNS, portID}, messages, socket.Info{})
}

// Multicast sends messages in one datagram to the members of a group. group is an index of
// Family.Groups. The messages come from [Family.Begin] and are completed by nlmsg.End. The
// receivers are the members in the network namespace netNS, and members in other namespaces
// that have set socket.ListenAllNSID (genlmsg_multicast, genlmsg_multicast_netns). The
// namespace 0 is the initial one. [AllNetNS] selects all namespaces
// (genlmsg_multicast_allns): a port with ListenAllNSID then receives the datagram once,
// while in the kernel it receives it once per namespace. The port with the ID excluded
// receives nothing; 0 excludes no port.
//
// The error is ESRCH if no member received the datagram, ENOBUFS if the queue of a member
// with socket.BroadcastError is full, EINVAL if there is no such group or the messages are
// malformed. If the family is not registered, Multicast also fails.
func (f *Family) Multicast(netNS, group int, messages []byte, excluded uint32) error {
	r := f.on.Load()
	switch {
	case r == nil:
		return errNotRegistered
	case group < 0 || group >= len(f.Groups):
		return errno.EINVAL
	case !isWhole(messages):
		return errMalformed
	}
	return r.bus.multicast(netNS, r.group(group), messages, excluded)
}

// errMalformed is the error for messages with a missing or wrong length.
var errMalformed = fmt.Errorf("bus: malformed messages, or nlmsg.End not called: %w", errno.EINVAL)

// isWhole reports whether b consists of one or more complete messages.
func isWhole(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		_, n := nlmsg.Consume(b)
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// HasListeners reports whether a port of any network namespace has joined a group. group is
// an index of Family.Groups (genl_has_listeners).
func (f *Family) HasListeners(group int) bool {
	r := f.on.Load()
	if r == nil || group < 0 || group >= len(f.Groups) {
		return false
	}
	r.bus.table.RLock()
	defer r.bus.table.RUnlock()
	return len(r.bus.listeners[r.group(group)]) > 0
}
