package runner

import (
	"slices"
	"time"
)

// A Case is something that every column does, on each of its inputs.
type Case struct {
	Name    string
	Inputs  []string
	Columns []string
	Rounds  int           // that count: see probes
	Round   time.Duration // how long a round is made; 0: one operation
	Units   int           // what an operation of a worker consists of, but a batch is one; ns_op is of one
	Live    bool          // against the running kernel, in a network namespace
}

// roundTime is shorter than a slice of the scheduler, and mostly not interrupted on a
// machine that does other things too.
const roundTime = 2 * time.Millisecond

// Cases are all cases in the order in which they run: the routes are added between
// them.
var Cases = []Case{
	{Name: "decode", Inputs: []string{"families", "policy", "links", "routes10k", "u32", "mixed", "mixed-large"},
		Columns: []string{"nlwire", "nlwire-all", "nlwire-consume", "mdlayher", "vishvananda", "jsimonetti",
			"syscall", "libmnl", "libnl", "c-inline", "c-predicted", "floor"},
		Rounds: 101, Round: roundTime, Units: 1},
	{Name: "decode-deep", Inputs: []string{"families", "policy", "links"},
		Columns: []string{"nlwire", "mdlayher", "vishvananda", "jsimonetti", "syscall", "libmnl", "libnl",
			"c-inline", "floor"},
		Rounds: 101, Round: roundTime, Units: 1},
	{Name: "decode-policy", Inputs: []string{"families", "policy", "links", "routes10k", "u32", "mixed"},
		Columns: []string{"nlwire", "mdlayher", "vishvananda", "jsimonetti", "syscall", "libmnl", "libnl",
			"c-inline", "floor"},
		Rounds: 101, Round: roundTime, Units: 1},
	{Name: "encode", Inputs: []string{"request", "mixed", "nft", "tc"},
		Columns: []string{"nlwire", "mdlayher", "vishvananda", "jsimonetti", "syscall", "libmnl", "libnl",
			"c-inline", "floor"},
		Rounds: 101, Round: roundTime, Units: 64},
	typedCase("typed-link", "links"),
	typedCase("typed-link-copied", "links"),
	typedCase("typed-route", "multipath"),
	typedCase("typed-nft", "rules"),
	typedCase("typed-flow", "flows"),
	{Name: "table-small", Inputs: []string{"route", "address", "nested"},
		Columns: []string{"nlwire-table", "libmnl", "libnl", "c-inline"},
		Rounds:  101, Round: roundTime, Units: 1},
	{Name: "append", Inputs: []string{"0", "1", "4", "8", "16", "17", "24", "32", "33", "64", "128", "256"},
		Columns: []string{"nlwire", "mdlayher", "vishvananda", "libmnl", "c-inline"},
		Rounds:  101, Round: roundTime, Units: 64},
	{Name: "resolve", Inputs: []string{"nlctrl"}, Columns: slices.Concat(genericColumns, []string{"c-threads"}),
		Rounds: 101, Round: roundTime, Units: 1, Live: true},
	{Name: "families", Inputs: []string{"all"}, Columns: genericColumns,
		Rounds: 101, Round: roundTime, Units: 1, Live: true},
	{Name: "pipeline", Inputs: []string{"64"}, Columns: genericColumns,
		Rounds: 101, Round: roundTime, Units: 64, Live: true},
	{Name: "flood", Inputs: []string{"routes"},
		Columns: []string{"nlwire", "nlwire-conn", "mdlayher", "vishvananda", "jsimonetti", "syscall", "libmnl",
			"libnl", "c-inline", "floor"},
		Rounds: 101, Units: 1000, Live: true},
	{Name: "routes10k", Inputs: []string{"10000"}, Columns: routeColumns,
		Rounds: 101, Round: roundTime, Units: 1, Live: true},
	{Name: "routes1m", Inputs: []string{"1000000"}, Columns: routeColumns,
		Rounds: 5, Units: 1, Live: true},
}

func typedCase(name, input string) Case {
	return Case{Name: name, Inputs: []string{input},
		Columns: []string{"nlwire", "nlwire-consume", "nlwire-all", "nlwire-table", "mdlayher", "jsimonetti",
			"vishvananda", "libmnl", "c-inline"},
		Rounds: 101, Round: roundTime, Units: 1}
}

var (
	genericColumns = []string{"nlwire", "nlwire-conn", "mdlayher", "vishvananda", "jsimonetti", "syscall",
		"libmnl", "libnl", "c-inline", "floor"}
	routeColumns = []string{"nlwire", "nlwire-conn", "mdlayher", "vishvananda", "vishvananda-list", "jsimonetti",
		"syscall", "libmnl", "libnl", "c-inline", "floor"}
)

// comparable reports whether a column gives the checksum of the others. A floor does
// less than the work.
func comparable(column string) bool { return column != "floor" }
