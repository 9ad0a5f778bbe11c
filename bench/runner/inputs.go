package runner

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	recorded "github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// An input is a prepared input of a case.
type input struct {
	name   string
	file   string       // file for the workers, or "-"
	units  int          // parts of a worker's operation
	attrs  float64      // attributes in one operation
	refill func() error // called before each round; makes the kernel send the events of the round
}

// The number of routes in the live cases, and the smaller number in a smoke test.
const (
	tenThousand = 10_000
	million     = 1_000_000
	fewer       = 20_000
)

// prepare writes the file of an input and sets up the kernel for the live cases.
func (r *run) prepare(c *Case, name string) (*input, error) {
	in := &input{name: name, file: "-", units: c.Units, refill: func() error { return nil }}
	if c.Name == "latency" {
		goroutines, err := strconv.Atoi(name)
		if err != nil {
			return nil, err
		}
		in.attrs, in.file = 1, r.path(c.Name+"-"+name)
		return in, (&recorded.Set{HeaderLen: goroutines}).Write(in.file)
	}
	if c.Live {
		return in, r.live(c, in)
	}
	set, err := r.set(c, name)
	if err != nil {
		return nil, err
	}
	in.attrs = attributes(c, set)
	if name == "nft" {
		in.units = 1
	}
	in.file = r.path(c.Name + "-" + name)
	return in, set.Write(in.file)
}

// set returns the datagrams to decode. For "encode" it returns no datagrams: the length of the header
// selects the message.
func (r *run) set(c *Case, name string) (*recorded.Set, error) {
	if c.Name == "encode" {
		return map[string]*recorded.Set{"request": {}, "mixed": {HeaderLen: 16}, "nft": {HeaderLen: 4},
			"tc": {HeaderLen: 20}}[name], nil
	}
	if c.Name == "append" {
		n, err := strconv.Atoi(name)
		return recorded.Payload(n), err
	}
	switch c.Name {
	case "typed-route":
		return recorded.MultipathRoutes(), nil
	case "typed-nft":
		return recorded.NFTRules(), nil
	case "typed-flow":
		return recorded.Flows(), nil
	case "table-small":
		return recorded.SmallTables(name)
	}
	switch name {
	case "families":
		return recorded.Families()
	case "policy":
		return recorded.EthtoolPolicy()
	case "links":
		return recorded.Links()
	case "routes10k":
		if err := r.kernel.grow(tenThousand); err != nil {
			return nil, err
		}
		datagrams, err := r.kernel.routeDump()
		return recorded.Routes(datagrams), err
	case "u32":
		return recorded.U32(), nil
	case "mixed":
		return recorded.Mixed(), nil
	case "mixed-large":
		return recorded.MixedLarge(), nil
	}
	return nil, fmt.Errorf("unknown input %q", name)
}

// attributes returns the number of attributes in one operation.
func attributes(c *Case, set *recorded.Set) (n float64) {
	switch {
	case c.Name == "append":
		return 16
	case c.Name == "encode":
		return map[int]float64{0: 1, 16: 11, 4: 41_000, 20: 23}[set.HeaderLen]
	}
	for _, d := range set.Datagrams {
		for m := range nlmsg.All(d) {
			if m.Type() < nlmsg.MinType {
				continue
			}
			for a := range nla.All(m.Attrs(set.HeaderLen)) {
				n++
				if depth := set.Depth(a.Type()); depth > 0 && c.deep() {
					n += nested(a.Payload(), depth)
				}
			}
		}
	}
	return n
}

// deep reports whether the case descends into nests.
func (c *Case) deep() bool {
	return c.Name == "decode-deep" || c.Name == "table-small" || strings.HasPrefix(c.Name, "typed-")
}

func nested(b []byte, depth uint32) (n float64) {
	for a := range nla.All(b) {
		n++
		if depth > 1 {
			n += nested(a.Payload(), depth-1)
		}
	}
	return n
}

// live sets up the kernel for a live case.
func (r *run) live(c *Case, in *input) error {
	switch c.Name {
	case "routes10k", "routes1m":
		n := tenThousand
		if c.Name == "routes1m" {
			n = million
			if r.Smoke {
				n = fewer
			}
		}
		began := time.Now()
		if err := r.kernel.grow(n); err != nil {
			return err
		}
		fmt.Fprintf(r.Log, "%d routes added, %.1f s\n", r.kernel.routes, time.Since(began).Seconds())
		attrs, err := r.kernel.routeAttrs()
		in.attrs = float64(attrs)
		return err
	case "events":
		in.attrs = 3 // RTA_TABLE, RTA_DST, RTA_OIF
		in.refill = func() error { return r.kernel.flood(c.Units) }
		return nil
	}
	in.attrs = 1
	return nil
}
