// Package rivals contains the tests that compare nlwire with other netlink libraries on the same
// bytes: Go's syscall, mdlayher/netlink and genetlink, vishvananda/netlink, and by cgo libmnl and
// libnl. The package has no code besides tests.
//
// Every disagreement must match a named rule, which docs/disagreements.md explains with an input
// that shows it. Any other disagreement fails the test.
package rivals
