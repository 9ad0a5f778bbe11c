package runner

import (
	"slices"
	"time"
)

// A Case is a task that every column performs on each input.
type Case struct {
	Name    string
	Inputs  []string
	Columns []string
	Rounds  int
	Round   time.Duration // duration of a round; 0: a round is one operation
	Units   int           // parts of a worker's operation; ns_op is the time of one part
	Live    bool          // uses the running kernel, in a network namespace
}

// roundTime is shorter than a time slice of the scheduler. Therefore most rounds are not interrupted,
// even on a busy machine.
const roundTime = 2 * time.Millisecond

// Cases lists the cases in the order of execution. Some cases add routes for the following ones.
var Cases = []Case{
	codec("decode", 1, slices.Concat([]string{"nlwire", "nlwire-all"}, libraries, []string{"libnl", "c-inline", "c-predicted"}),
		"families", "policy", "links", "routes10k", "u32", "mixed", "mixed-large"),
	codec("decode-deep", 1, slices.Concat([]string{"nlwire"}, libraries, []string{"libnl", "c-inline"}), "families", "policy", "links"),
	codec("decode-policy", 1, []string{"nlwire", "libmnl", "libnl", "c-inline"},
		"families", "policy", "links", "routes10k", "u32", "mixed"),
	codec("table-small", 1, []string{"nlwire", "libmnl", "libnl", "c-inline"}, "route", "address", "nested"),
	codec("typed-link", 1, typedColumns, "links"),
	codec("typed-link-copied", 1, typedColumns, "links"),
	codec("typed-route", 1, typedColumns, "multipath"),
	codec("typed-nft", 1, typedColumns, "rules"),
	codec("typed-flow", 1, typedColumns, "flows"),
	codec("encode", 64, slices.Concat([]string{"nlwire"}, libraries, []string{"libnl", "c-inline"}), "request", "mixed", "nft", "tc"),
	codec("append", 64, slices.Concat([]string{"nlwire"}, libraries, []string{"c-inline"}),
		"0", "1", "4", "8", "16", "17", "24", "32", "33", "64", "128", "256"),
	{Name: "resolve", Inputs: []string{"nlctrl"}, Columns: []string{"nlwire", "mdlayher", "vishvananda"},
		Rounds: rounds, Round: roundTime, Units: 1, Live: true},
	{Name: "request", Inputs: []string{"nlctrl"},
		Columns: slices.Concat([]string{"nlwire", "nlwire-socket"}, libraries, []string{"libnl", "c-inline"}),
		Rounds:  rounds, Round: roundTime, Units: 1, Live: true},
	{Name: "batch", Inputs: []string{"64"}, Columns: slices.Concat([]string{"nlwire"}, libraries, []string{"c-inline"}),
		Rounds: rounds, Round: roundTime, Units: 64, Live: true},
	{Name: "latency", Inputs: []string{"1", "8", "64", "512"}, Columns: []string{"nlwire", "one-socket", "mdlayher", "vishvananda"},
		Rounds: 7, Units: 1, Live: true},
	{Name: "events", Inputs: []string{"routes"},
		Columns: slices.Concat([]string{"nlwire", "nlwire-socket"}, libraries, []string{"jsimonetti", "c-inline"}),
		Rounds:  rounds, Units: 1000, Live: true},
	{Name: "routes10k", Inputs: []string{"10000"}, Columns: routeColumns, Rounds: rounds, Round: roundTime, Units: 1, Live: true},
	{Name: "routes1m", Inputs: []string{"1000000"}, Columns: routeColumns, Rounds: 3, Units: 1, Live: true},
}

const rounds = 60

func codec(name string, units int, columns []string, inputs ...string) Case {
	return Case{Name: name, Inputs: inputs, Columns: columns, Rounds: rounds, Round: roundTime, Units: units}
}

var (
	libraries    = []string{"mdlayher", "vishvananda", "libmnl"}
	typedColumns = []string{"nlwire", "mdlayher", "jsimonetti", "vishvananda", "libmnl", "c-inline"}
	routeColumns = []string{"nlwire", "mdlayher", "vishvananda", "jsimonetti", "libmnl", "libnl", "c-inline"}
)
