package bus

import (
	"fmt"
	"strings"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
)

// Register adds a family to the bus, assigns its ID and the numbers of its groups, and
// sends the controller's events for them (genl_register_family). The errors are the
// kernel's: EEXIST if the name is in use or the family is already registered; EINVAL for
// invalid names, operations or groups; ENOSPC if all IDs up to genlmsg.MaxID are in use. On
// a closed bus the error is os.ErrClosed.
func (b *Bus) Register(f *Family) error {
	r, err := b.register(f)
	if err != nil {
		return fmt.Errorf("bus: register family %q: %w", f.Name, err)
	}
	b.sendFamily(genlmsg.CtrlCmdNewFamily, f, r)
	for i := range f.Groups {
		b.sendGroup(genlmsg.CtrlCmdNewMulticastGroup, f, r, i)
	}
	return nil
}

func (b *Bus) register(f *Family) (*registration, error) {
	ops, err := newOpTable(f, b.features)
	switch {
	case err != nil:
		return nil, err
	case !isName(f.Name), f.HdrSize < 0, f.HdrSize > maxHdrSize, !f.hasMaxAttr():
		return nil, errno.EINVAL
	}
	b.registry.Lock()
	defer b.registry.Unlock()
	b.table.RLock()
	err = b.isOpen()
	b.table.RUnlock()
	switch {
	case err != nil:
		return nil, err
	case b.names[f.Name] != nil, f.on.Load() != nil:
		return nil, errno.EEXIST
	}
	r := &registration{bus: b, ops: ops}
	if r.id = b.ids.alloc(f); r.id == 0 {
		return nil, errno.ENOSPC
	}
	if r.firstGroup, err = b.assignGroups(f); err != nil {
		b.ids.families[r.id] = nil
		return nil, err
	}
	// This is the last step: from here on, other goroutines may read r.
	if !f.on.CompareAndSwap(nil, r) {
		b.dropGroups(f, r)
		b.ids.families[r.id] = nil
		return nil, errno.EEXIST // registered concurrently on another bus
	}
	b.names[f.Name] = f
	return r, nil
}

// isName reports whether the name is not empty and fits into GENL_NAMSIZ bytes including
// its NUL.
func isName(name string) bool {
	return name != "" && len(name) < genlmsg.NameSize && strings.IndexByte(name, 0) < 0
}

func (b *Bus) assignGroups(f *Family) (first int, err error) {
	if len(f.Groups) == 0 {
		return 0, nil
	}
	for _, g := range f.Groups {
		if !isName(g.Name) {
			return 0, errno.EINVAL
		}
	}
	if hasOwnNumbers(f.Name) && len(f.Groups) > 1 {
		return 0, errno.EINVAL // the kernel crashes here (BUG_ON)
	}
	b.table.Lock() // Join reads the number of groups
	defer b.table.Unlock()
	return b.groups.groupsOf(f), nil
}

// Unregister removes a family from the bus, ends the memberships of its groups, and sends
// the controller's events (genl_unregister_family). When it returns, no handler of the
// family runs, except for dumps that have already started: they run to their end, because
// in the kernel they hold a reference to the family's module. The error is ENOENT if the
// family is not on this bus.
func (b *Bus) Unregister(f *Family) error {
	r := b.unregister(f)
	if r == nil {
		return fmt.Errorf("bus: unregister family %q: %w", f.Name, errno.ENOENT)
	}
	b.sendFamily(genlmsg.CtrlCmdDelFamily, f, r)
	f.on.CompareAndSwap(r, nil)
	return nil
}

// unregister returns the registration that it removed, or nil.
func (b *Bus) unregister(f *Family) *registration {
	b.registry.Lock()
	defer b.registry.Unlock()
	r := f.on.Load()
	if r == nil || r.bus != b || f == b.ctrl || b.ids.families[r.id] != f {
		return nil
	}
	b.dropGroups(f, r)
	for i := range f.Groups {
		b.sendGroup(genlmsg.CtrlCmdDelMulticastGroup, f, r, i)
	}
	b.ids.families[r.id] = nil
	delete(b.names, f.Name)
	return r
}

// dropGroups ends the memberships of a family's groups and frees their numbers
// (genl_unregister_mc_groups). The number of NET_DM stays reserved.
func (b *Bus) dropGroups(f *Family, r *registration) {
	b.table.Lock()
	defer b.table.Unlock()
	for i := range f.Groups {
		group := r.firstGroup + i
		delete(b.listeners, uint32(group))
		if group != groupNetDM {
			b.groups.clear(group)
		}
	}
}
