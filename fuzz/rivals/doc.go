// Package rivals holds the tests that compare nlwire with other netlink libraries
// on the same bytes: Go's syscall, mdlayher/netlink and genetlink,
// vishvananda/netlink, and by cgo libmnl and libnl. It has no code of its own.
//
// Where a rival disagrees, it is by a rule with a name that is explained in
// docs/disagreements.md, with an input that shows it; anything else fails.
package rivals
