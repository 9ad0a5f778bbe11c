// An overlay that replaces package nl in a copy of vishvananda/netlink. Not released.
module github.com/nlwire/nlwire/compat/nl

go 1.25.0

require (
	github.com/nlwire/nlwire v0.0.0
	github.com/vishvananda/netlink v1.3.1
	github.com/vishvananda/netns v0.0.5
	golang.org/x/sys v0.47.0
)

replace github.com/nlwire/nlwire => ../..
