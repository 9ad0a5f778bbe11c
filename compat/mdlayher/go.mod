// The module path is that of another library. A program uses this module with a replace directive: see
// docs/migrating.md.
module github.com/mdlayher/netlink

go 1.25.0

require (
	github.com/nlwire/nlwire v0.1.0
	golang.org/x/net v0.53.0
	golang.org/x/sys v0.47.0
)
