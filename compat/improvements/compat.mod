module github.com/nlwire/nlwire/compat/improvements

go 1.25.0

require (
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
