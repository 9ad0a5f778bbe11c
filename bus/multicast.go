package bus

import (
	"fmt"
	"slices"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Join makes the port a member of a multicast group, by its number. EINVAL says
// that there is no such number, EPERM that the group asks for a capability. As in
// the kernel, numbers that no family has can be joined (genl_bind).
func (p *Port) Join(group uint32) error {
	if err := p.bus.join(p, group); err != nil {
		return fmt.Errorf("bus: join group %d: %w", group, err)
	}
	return nil
}

func (b *Bus) join(p *Port, group uint32) error {
	if p.isClosed() {
		return errClosed
	}
	b.registry.RLock()
	defer b.registry.RUnlock()
	if !b.hasGroup(group) {
		return errno.EINVAL
	}
	if f, i := b.groupOwner(group); f != nil {
		if g := f.Groups[i].Flags; g&GroupNetAdmin != 0 && p.caps&CapNetAdminNS == 0 || g&GroupSysAdmin != 0 && p.caps&CapSysAdminNS == 0 {
			return errno.EPERM
		}
		if f.Bind != nil {
			f.Bind(i)
		}
	}
	b.table.Lock()
	defer b.table.Unlock()
	if b.ports[p.address()] != p {
		return errClosed // meanwhile
	}
	if b.listeners[group] == nil {
		b.listeners[group] = map[*Port]struct{}{}
	}
	b.listeners[group][p] = struct{}{}
	if !slices.Contains(p.groups, group) {
		p.groups = append(p.groups, group)
	}
	return nil
}

// hasGroup reports whether ports can join and leave a group of this number.
func (b *Bus) hasGroup(group uint32) bool {
	b.table.RLock()
	defer b.table.RUnlock()
	return group != 0 && uint64(group) <= uint64(b.groups.len())
}

// groupOwner returns the family that has a group, and which of its groups it is.
// It is under b.registry.
func (b *Bus) groupOwner(group uint32) (*Family, int) {
	for _, f := range b.ids.families {
		if f == nil {
			continue
		}
		if i := int(group) - f.on.Load().firstGroup; i >= 0 && i < len(f.Groups) {
			return f, i
		}
	}
	return nil, 0
}

// Leave ends a membership. Leaving a group that was not joined is no error; EINVAL
// says that there is no such number.
func (p *Port) Leave(group uint32) error {
	switch {
	case p.isClosed():
		return errClosed
	case !p.bus.hasGroup(group):
		return fmt.Errorf("bus: leave group %d: %w", group, errno.EINVAL)
	}
	p.bus.leave(p, group)
	p.bus.unbind(group) // also for who was no member (netlink_setsockopt)
	return nil
}

// leave ends a membership and returns whether there was one.
func (b *Bus) leave(p *Port, group uint32) bool {
	b.table.Lock()
	defer b.table.Unlock()
	_, isMember := b.listeners[group][p]
	delete(b.listeners[group], p)
	if len(b.listeners[group]) == 0 {
		delete(b.listeners, group)
	}
	p.groups = slices.DeleteFunc(p.groups, func(g uint32) bool { return g == group })
	return isMember
}

// unbind tells the family of a group that a port left it (genl_unbind).
func (b *Bus) unbind(group uint32) {
	b.registry.RLock()
	defer b.registry.RUnlock()
	if f, i := b.groupOwner(group); f != nil && f.Unbind != nil {
		f.Unbind(i)
	}
}

// Groups lists the groups that the port is a member of, in ascending order.
func (p *Port) Groups() ([]uint32, error) {
	if p.isClosed() {
		return nil, errClosed
	}
	p.bus.table.RLock()
	defer p.bus.table.RUnlock()
	return slices.DeleteFunc(slices.Sorted(slices.Values(p.groups)), func(g uint32) bool {
		_, is := p.bus.listeners[g][p]
		return !is
	}), nil
}

// AllNetNS stands for every network namespace in [Family.Multicast].
const AllNetNS = -1

// multicast gives a datagram to the members of a group, but for the port whose ID
// is excluded (netlink_broadcast_filtered). ESRCH says that there was none.
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

// address32 is what the address of a multicast tells: a mask of the first 32
// groups, and the number to those who asked for it.
func (p *Port) address32(info *socket.Info, group uint32) {
	if group > 0 && group <= 32 {
		info.Groups = 1 << (group - 1)
	}
	if p.has(socket.PacketInfo) {
		info.Group = group
	}
}

// unicast gives a datagram to a port.
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

// Unicast sends messages of the bus to a port of a network namespace, asked for or
// not (genlmsg_unicast). ECONNREFUSED says that there is no such port, EAGAIN that
// its queue was full.
func (b *Bus) Unicast(netNS int, portID uint32, messages []byte) error {
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

// HasListeners reports whether a port, in any network namespace, has joined a group
// of the family, by its index (genl_has_listeners).
func (f *Family) HasListeners(group int) bool {
	r := f.on.Load()
	if r == nil || group < 0 || group >= len(f.Groups) {
		return false
	}
	r.bus.table.RLock()
	defer r.bus.table.RUnlock()
	return len(r.bus.listeners[r.group(group)]) > 0
}

// Begin appends the headers of a message of the family, as nlmsg.Begin does: netlink,
// Generic Netlink, and zeros for the family's own (genlmsg_put). nlmsg.End completes it.
// An event has the sequence number 0 and the port ID 0. The type of a family that is
// not registered is 0.
func (f *Family) Begin(b []byte, flags nlmsg.Flags, seq, portID uint32, cmd uint8) []byte {
	return f.on.Load().begin(b, f, flags, seq, portID, cmd)
}

// begin is Begin with the id that the family had, or 0 for nil.
func (r *registration) begin(b []byte, f *Family, flags nlmsg.Flags, seq, portID uint32, cmd uint8) []byte {
	id := nlmsg.Type(0)
	if r != nil {
		id = nlmsg.Type(r.id)
	}
	b = nlmsg.Begin(b, id, flags, seq, portID)
	b = genlmsg.Append(b, cmd, f.Version)
	return append(b, make([]byte, nlmsg.Align(f.HdrSize))...)
}
