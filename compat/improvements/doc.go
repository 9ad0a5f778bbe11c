// Package improvements contains tests for both implementations of github.com/mdlayher/netlink: the
// original and compat/mdlayher.
//
//	go test ./...                       the original, selected by go.mod
//	go test -modfile=compat.mod ./...   compat/mdlayher, selected by a replace directive
//
// Both commands require GOWORK=off, because -modfile is not allowed in a workspace. `make compat` runs
// them.
//
// Each test in [TestImprovements] must fail on the original and pass on compat/mdlayher. This keeps the
// list of improvements correct. The other tests check the common behavior and must pass on both.
package improvements
