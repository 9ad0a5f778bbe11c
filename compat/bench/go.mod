// Comparison of compat/mdlayher with the original. go.mod selects the original, compat.mod selects
// compat/mdlayher, and socket.mod selects the original with a newer socket module. Not released.
module github.com/nlwire/nlwire/compat/bench

go 1.25.0

require (
	github.com/google/nftables v0.3.0
	github.com/mdlayher/genetlink v1.4.0
	github.com/mdlayher/netlink v1.11.2
	golang.org/x/sys v0.47.0
)

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/mdlayher/socket v0.6.0 // indirect
	golang.org/x/net v0.53.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
)
