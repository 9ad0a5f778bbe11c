package socket

// Join makes the socket a member of a multicast group of its protocol, by the
// group's number, which may be above 32. Joining twice is no error.
//
// EINVAL means that the protocol has no such group (or that it is 0), EPERM
// that the group asks for a capability. Generic Netlink lets a socket join
// numbers that no family owns; nothing will be heard there.
func (s *Socket) Join(group uint32) error {
	return s.wrap("setsockopt "+nameAddMembership, s.sys.setMembership(optAddMembership, group))
}

// Leave ends a membership. Leaving a group that was not joined is no error.
// Datagrams queued before are still received.
func (s *Socket) Leave(group uint32) error {
	return s.wrap("setsockopt "+nameDropMembership, s.sys.setMembership(optDropMembership, group))
}

// Groups lists the groups that the socket is a member of, in ascending order.
// The slice is the caller's.
func (s *Socket) Groups() ([]uint32, error) {
	words, err := s.sys.memberships()
	return groupsOf(words), s.wrap("getsockopt "+nameListMemberships, err)
}

// groupsOf turns the kernel's mask into numbers: bit 0 of word 0 is group 1.
func groupsOf(words []uint32) []uint32 {
	var groups []uint32
	for i, word := range words {
		for bit := range 32 {
			if word&(1<<bit) != 0 {
				groups = append(groups, uint32(32*i+bit+1))
			}
		}
	}
	return groups
}
