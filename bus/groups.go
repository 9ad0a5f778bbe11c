package bus

import (
	"fmt"
	"slices"

	"github.com/nlwire/nlwire/errno"
)

// Join makes the port a member of a multicast group, by its number (genl_bind). The error
// is EINVAL if the number is out of range, EPERM if the port lacks a capability that the
// group requires. As in the kernel, a port can join a number in range that belongs to no
// family.
func (p *Port) Join(group uint32) error {
	if err := p.isOpen(); err != nil {
		return err
	}
	if err := p.bus.join(p, group); err != nil {
		return fmt.Errorf("bus: join group %d: %w", group, err)
	}
	return nil
}

func (b *Bus) join(p *Port, group uint32) error {
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
		return errClosed // closed concurrently
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

// hasGroup reports whether ports can join and leave this group number.
func (b *Bus) hasGroup(group uint32) bool {
	b.table.RLock()
	defer b.table.RUnlock()
	return group != 0 && uint64(group) <= uint64(b.groups.len())
}

// groupOwner returns the family of a group and the group's index in it, or nil. The caller
// holds b.registry.
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

// Leave ends a membership. Leaving a group that the port has not joined is not an error.
// The error is EINVAL if the number is out of range.
func (p *Port) Leave(group uint32) error {
	if err := p.isOpen(); err != nil {
		return err
	}
	if !p.bus.hasGroup(group) {
		return fmt.Errorf("bus: leave group %d: %w", group, errno.EINVAL)
	}
	p.bus.leave(p, group)
	p.bus.unbind(group) // also without a membership (netlink_setsockopt)
	return nil
}

// leave ends a membership and reports whether there was one.
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

// unbind calls Unbind of the group's family (genl_unbind).
func (b *Bus) unbind(group uint32) {
	b.registry.RLock()
	defer b.registry.RUnlock()
	if f, i := b.groupOwner(group); f != nil && f.Unbind != nil {
		f.Unbind(i)
	}
}

// Groups returns the numbers of the groups that the port has joined, in ascending order.
func (p *Port) Groups() ([]uint32, error) {
	if err := p.isOpen(); err != nil {
		return nil, err
	}
	p.bus.table.RLock()
	defer p.bus.table.RUnlock()
	return slices.DeleteFunc(slices.Sorted(slices.Values(p.groups)), func(g uint32) bool {
		_, is := p.bus.listeners[g][p]
		return !is
	}), nil
}
