// Compares compat/mdlayher with the original. The go.mod has the original; the others
// replace it, or its socket module.
module github.com/nlwire/nlwire/compat/bench

go 1.25.0

require (
	github.com/google/nftables v0.3.0
	github.com/mdlayher/genetlink v1.4.0
	github.com/mdlayher/netlink v1.11.2
	golang.org/x/sys v0.47.0
)

require (
	github.com/nlwire/nlwire v0.1.0 // indirect
	golang.org/x/net v0.53.0 // indirect
)

replace (
	github.com/mdlayher/netlink => ../mdlayher
	github.com/nlwire/nlwire => ../..
)
