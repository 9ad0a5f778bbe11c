package bus

import (
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// AllNetNS stands for every network namespace in [Family.Multicast].
const AllNetNS = -1

// multicast queues a datagram for the members of a group, except for the port with the
// excluded ID (netlink_broadcast_filtered). The error is ESRCH if it was queued nowhere.
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

// address32 sets the group in the address of a multicast: the mask of the first 32
// groups, and the number if the port has socket.PacketInfo on.
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

// Unicast sends a datagram from the bus to a port of a network namespace, whether or not
// there was a request (genlmsg_unicast). The bytes are copied and not checked, so that
// tests can send malformed messages. The error is ECONNREFUSED if there is no such port,
// EAGAIN if its queue is full.
func (b *Bus) Unicast(netNS int, portID uint32, messages []byte) error {
	if b.ports == nil {
		return errZeroBus
	}
	return b.unicast(address{netNS, portID}, messages, socket.Info{})
}

// Multicast sends messages from [Family.Begin], completed by nlmsg.End, in one
// datagram to the ports of a network namespace that have joined a group, an index of
// Family.Groups, and to ports of other namespaces with socket.ListenAllNSID. The
// namespace 0 is the first (genlmsg_multicast, genlmsg_multicast_netns); [AllNetNS]
// stands for all (genlmsg_multicast_allns), where a port with ListenAllNSID receives the
// datagram once, and in the kernel once per namespace. The port with the excluded ID
// receives nothing; 0 excludes none.
//
// The error is ESRCH if no port has joined, ENOBUFS if the queue of a port with
// socket.BroadcastError is full, EINVAL if there is no such group or the messages are
// malformed. A family that is not registered is an error, too.
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

// errMalformed is the error for messages without a length, or with a wrong one.
var errMalformed = fmt.Errorf("bus: malformed messages, or not completed by nlmsg.End: %w", errno.EINVAL)

// isWhole reports whether b is one or more messages.
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

// HasListeners reports whether a port of any network namespace has joined a group, an
// index of Family.Groups (genl_has_listeners).
func (f *Family) HasListeners(group int) bool {
	r := f.on.Load()
	if r == nil || group < 0 || group >= len(f.Groups) {
		return false
	}
	r.bus.table.RLock()
	defer r.bus.table.RUnlock()
	return len(r.bus.listeners[r.group(group)]) > 0
}
