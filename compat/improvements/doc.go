// Package improvements has the tests that run on both implementations of
// github.com/mdlayher/netlink: the original, and compat/mdlayher.
//
//	go test ./...                       the original, of go.mod
//	go test -modfile=compat.mod ./...   compat/mdlayher, by a replace directive
//
// Both with GOWORK=off, because a workspace does not allow another go.mod. `make compat`
// runs them.
//
// A test of [TestImprovements] must fail on the original and pass on compat/mdlayher: so the
// list of improvements stays true. A test of behaviour that is the same, in the other
// functions, must pass on both.
package improvements
