package main

// A target is a kernel to run the tests on.
type target struct {
	name      string
	arch      string // Debian's name, which is Go's as well
	sources   []source
	release   string // preferred to the others, if not empty
	onRequest bool   // only if it is named
	noModules bool   // without the modules of internal/test/module
	allTests  bool   // also those that do not depend on the kernel
}

// source is a suite of a Debian archive.
type source struct{ archive, suite string }

const (
	debian   = "debian"
	security = "debian-security"
)

// targets are the known kernels. A suite has one current version of its kernel, which moves.
var targets = []target{
	{name: "5.10", arch: "amd64", sources: []source{{debian, "bullseye"}, {security, "bullseye-security"}}},
	{name: "6.1", arch: "amd64", sources: []source{{debian, "bookworm"}, {security, "bookworm-security"}}},
	{name: "6.12", arch: "amd64", sources: trixie},
	{name: "newest", arch: "amd64", sources: append(trixie[:2:2], source{debian, "trixie-backports"}), release: "trixie-backports"},
	{name: "6.12-arm64", arch: "arm64", sources: trixie, onRequest: true, noModules: true, allTests: true},
}

var trixie = []source{{debian, "trixie"}, {security, "trixie-security"}}

// tools has the programs of the host: the emulator, depmod and xz. qemu of older suites cannot
// read the compressed kernels of arm64.
var tools = target{name: "tools", arch: "amd64", sources: trixie}
