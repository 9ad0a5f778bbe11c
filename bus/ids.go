package bus

import "github.com/nlwire/nlwire/genlmsg"

// startAlloc is the first ID that is assigned dynamically (GENL_START_ALLOC). The lower IDs
// belong to the controller and to two older families.
const startAlloc = genlmsg.MinID + 3

// The names of the families with fixed IDs or groups, and the fixed group of NET_DM.
const (
	nameVFSQuota = "VFS_DQUOT"
	namePMCRAID  = "pmcraid"
	nameNetDM    = "NET_DM"

	groupNetDM = 1
)

// familyIDs assigns IDs cyclically, so that a freed ID is reused as late as possible
// (idr_alloc_cyclic).
type familyIDs struct {
	families [genlmsg.MaxID + 1]*Family
	next     int
}

// alloc assigns an ID to the family. It returns 0 if all IDs are in use.
func (ids *familyIDs) alloc(f *Family) uint16 {
	first, last := startAlloc, genlmsg.MaxID
	switch f.Name {
	case genlmsg.CtrlName:
		first, last = genlmsg.IDCtrl, genlmsg.IDCtrl
	case nameVFSQuota:
		first, last = genlmsg.IDVFSQuota, genlmsg.IDVFSQuota
	case namePMCRAID:
		first, last = genlmsg.IDPMCRAID, genlmsg.IDPMCRAID
	}
	id := ids.free(max(ids.next, first), last)
	if id == 0 {
		id = ids.free(first, last)
	}
	if id != 0 {
		ids.families[id], ids.next = f, id+1
	}
	return uint16(id)
}

func (ids *familyIDs) free(first, last int) int {
	for id := first; id <= last; id++ {
		if ids.families[id] == nil {
			return id
		}
	}
	return 0
}

// groupBits is the set of multicast groups in use, one bit per group (mc_groups).
type groupBits []uint64

// newGroupBits reserves the numbers that are not assigned dynamically: 0 is not a group, 1
// belongs to NET_DM, and the others belong to the families with fixed IDs.
func newGroupBits() groupBits {
	return groupBits{1<<0 | 1<<groupNetDM | 1<<genlmsg.IDCtrl | 1<<genlmsg.IDVFSQuota | 1<<genlmsg.IDPMCRAID}
}

// len returns the number of bits. Ports can join the group numbers from 1 to len.
func (g groupBits) len() int { return 64 * len(g) }

func (g groupBits) has(i int) bool { return g[i/64]&(1<<(i%64)) != 0 }

func (g groupBits) set(i int) { g[i/64] |= 1 << (i % 64) }

func (g groupBits) clear(i int) { g[i/64] &^= 1 << (i % 64) }

// nextFree returns the first free number from i on, or len if there is none.
func (g groupBits) nextFree(i int) int {
	for ; i < g.len(); i++ {
		if !g.has(i) {
			break
		}
	}
	return i
}

// alloc reserves the first n consecutive free numbers (genl_allocate_reserve_groups). As in
// the kernel, the set grows whenever a candidate range extends past its end, even if the
// range then proves too short.
func (g *groupBits) alloc(n int) (first int) {
	for start, fits := 0, false; !fits; {
		first = g.nextFree(start)
		fits = true
		for i := first; i < min(first+n, g.len()); i++ {
			if g.has(i) {
				start, fits = i, false
				break
			}
		}
		if first+n > g.len() {
			*g = append(*g, make([]uint64, (n+63)/64)...)
		}
	}
	for i := first; i < first+n; i++ {
		g.set(i)
	}
	return first
}

// groupsOf assigns the groups of a family (genl_validate_assign_mc_groups).
func (g *groupBits) groupsOf(f *Family) (first int) {
	switch f.Name {
	case genlmsg.CtrlName:
		return genlmsg.IDCtrl
	case nameNetDM:
		return groupNetDM
	case nameVFSQuota:
		return genlmsg.IDVFSQuota
	case namePMCRAID:
		return genlmsg.IDPMCRAID
	}
	return g.alloc(len(f.Groups))
}

// hasOwnNumbers reports whether the family has a fixed group number. Such a family has at
// most one group.
func hasOwnNumbers(name string) bool {
	switch name {
	case genlmsg.CtrlName, nameNetDM, nameVFSQuota, namePMCRAID:
		return true
	}
	return false
}
