package main

// The module and version of the original.
const (
	originalModule  = "github.com/mdlayher/netlink"
	originalVersion = "v1.11.2"
)

// A suite contains the tests of a module.
type suite struct {
	module, version string
	tags            string              // build tags for the live tests
	args            map[string][]string // arguments of the test binary, by the package's directory
	isItself        bool                // the module is the original
	isLong          bool                // not run with -short
}

var suites = []suite{
	{module: originalModule, version: originalVersion, isItself: true},
	{module: "github.com/mdlayher/genetlink", version: "v1.4.0"},
	{module: "github.com/mdlayher/ethtool", version: "v0.7.0"},
	{module: "github.com/mdlayher/wifi", version: "v0.10.0"},
	{module: "golang.zx2c4.com/wireguard/wgctrl", version: "v0.0.0-20241231184526-a9ab2273dd10"},
	{module: "github.com/jsimonetti/rtnetlink/v2", version: "v2.3.0", tags: "integration", isLong: true},
	{module: "github.com/ti-mo/netfilter", version: "v0.5.3"},
	{module: "github.com/ti-mo/conntrack", version: "v0.6.0", tags: "integration", isLong: true},
	{module: "github.com/florianl/go-tc", version: "v0.4.5", tags: "integration", isLong: true},
	{module: "github.com/google/nftables", version: "v0.3.0", args: map[string][]string{".": {"-run_system_tests"}}},
}
