// Libraries that are compared with nlwire. A separate module, so that users of nlwire do not
// depend on them. Not released.
module github.com/nlwire/nlwire/fuzz/rivals

go 1.25.0

require (
	github.com/mdlayher/genetlink v1.4.0
	github.com/mdlayher/netlink v1.11.2
	github.com/nlwire/nlwire v0.0.0
	github.com/vishvananda/netlink v1.3.1
)

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/mdlayher/socket v0.6.0 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	golang.org/x/net v0.53.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/nlwire/nlwire => ../..
