package fuzz

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/internal/test/moduletest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// kernel is a socket to the kernel, opened in the test's network namespace.
type kernel struct {
	socket   *socket.Socket
	features bus.Features
	seq      uint32
	buf      []byte
	req      []byte
}

func newKernel(t *testing.T, protocol socket.Protocol) *kernel {
	t.Helper()
	s, err := socket.Open(protocol, socket.WithFlags(socket.ExtAck, socket.CapAck), socket.WithReceiveBuffer(4<<20))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if protocol == socket.Route {
		if err := s.SetFlag(socket.StrictCheck, true); err != nil {
			t.Fatal(err)
		}
	}
	// If the kernel does not answer, the test fails instead of hanging.
	s.SetReadDeadline(time.Now().Add(10 * time.Minute))
	return &kernel{socket: s, features: moduletest.Features(t), buf: make([]byte, 64<<10)}
}

// exchange sends a request with the given payload and returns its final answer, an Error or a
// Done. It calls data for each message before that.
func (k *kernel) exchange(t *testing.T, typ nlmsg.Type, flags nlmsg.Flags, payload []byte, data func(nlmsg.Msg)) nlmsg.ExtAck {
	t.Helper()
	k.seq++
	b := nlmsg.Begin(k.req[:0], typ, nlmsg.FlagRequest|nlmsg.FlagAck|flags, k.seq, 0)
	b = append(b, payload...)
	size := len(b)
	k.req = nlmsg.End(b, 0)
	if err := k.socket.Send(k.req); err != nil {
		t.Fatal(err)
	}
	k.req = k.req[:size]
	for {
		n, from, err := k.socket.Receive(k.buf)
		if err != nil {
			t.Fatalf("no answer to % x: %v", k.req, err)
		}
		for m, err := range nlmsg.All(k.buf[:n]) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Seq() != k.seq || from.PortID != 0 {
				continue
			}
			if m.Type() != nlmsg.TypeError && m.Type() != nlmsg.TypeDone {
				data(m)
				continue
			}
			a, err := nlmsg.ParseAck(m)
			if m.Type() == nlmsg.TypeDone {
				a, err = nlmsg.ParseDone(m)
			}
			if err != nil {
				t.Fatalf("answer % x: %v", []byte(m), err)
			}
			return a
		}
	}
}

// send sends attributes to the operation.
func (o *operation) send(t *testing.T, attrs []byte) nlmsg.ExtAck {
	t.Helper()
	payload := append(append([]byte(nil), o.header...), attrs...)
	return o.kernel.exchange(t, o.typ, o.flags, payload, func(nlmsg.Msg) {})
}

// comparison is one request with the results of the kernel and of nlwire.
type comparison struct {
	op      *operation
	request nlmsg.Msg
	kernel  nlmsg.ExtAck
	errno   errno.Errno
	report  policy.Report
	policy  []byte // the description of the rule in nlwire's result
}

// texts are the texts of the kernel's validation. An error with another text, or without one,
// comes from a later check by the operation.
var texts = []string{
	"Attribute failed policy validation", "Unknown attribute type", "bytes leftover after parsing attributes",
	"invalid attribute length", "NLA_F_NESTED is missing", "NLA_F_NESTED not expected", "Unsupported attribute",
	"allowed policy recursion depth exceeded", "Array element too short", "integer out of range",
	"binary attribute size out of range", "reserved bit set",
}

// agrees reports whether the kernel rejects what nlwire rejects, with the same errno, text,
// offset and policy. If nlwire accepts the attributes, the kernel must do so as well: its text is
// the same warning, empty, or from the operation.
func (c *comparison) agrees() bool {
	k, text := &c.kernel, string(c.kernel.Msg)
	if c.errno == 0 {
		isOwn := text != "" && !slices.Contains(texts, text)
		return isOwn || text == c.report.Msg && (text == "" || k.Policy == nil)
	}
	return c.errno == k.Errno && c.report.Msg == text && bytes.Equal(c.policy, k.Policy) &&
		c.report.HasAttr == (k.Offset != 0) && (!c.report.HasAttr || uint32(c.report.Offset) == k.Offset)
}

func (o *operation) compare(t *testing.T, attrs []byte) comparison {
	t.Helper()
	c := comparison{op: o, kernel: o.send(t, attrs), request: o.kernel.req}
	c.errno = nlmsg.ParseReport(nil, c.request, len(o.header), o.policy, o.mode, &c.report)
	if c.report.Policy != nil {
		c.policy = policywire.AppendRule(nil, c.report.Policy)
	}
	return c
}

// key returns the same string for similar disagreements, so that one of each is printed.
func (c *comparison) key() string {
	return fmt.Sprintf("%s: kernel %d %q, nlwire %d %q", c.op.name, c.kernel.Errno, c.kernel.Msg, c.errno, c.report.Msg)
}

func (c *comparison) String() string {
	return fmt.Sprintf("%s, %v\n  request %s\n  kernel: errno %d %q offset %d policy %x\n  nlwire: errno %d %q offset %d policy %x",
		c.op.name, c.op.mode, hex.EncodeToString(c.request), c.kernel.Errno, c.kernel.Msg, c.kernel.Offset, c.kernel.Policy,
		c.errno, c.report.Msg, c.report.Offset, c.policy)
}

// tally counts the results of comparisons.
type tally struct {
	requests    int
	accepted    map[policy.Kind]int
	refused     map[policy.Kind]int
	explained   map[string]int
	unexplained int
	open        map[string]int // the unexplained ones by their difference
}

// add counts a request and the kinds of its attributes at the top level: all of them if it was
// accepted, the invalid one if it was rejected.
func (n *tally) add(c *comparison) {
	n.requests++
	if c.errno != 0 {
		if c.report.Policy != nil {
			n.refused[c.report.Policy.Kind]++
		} else if c.report.HasAttr {
			n.refused[generate.RuleOf(c.op.policy, int(c.report.Type)).Kind]++
		}
		return
	}
	for a := range nla.All(c.request.Attrs(len(c.op.header))) {
		if t := int(a.Type()); t > 0 && t < len(c.op.policy.Attrs) {
			n.accepted[c.op.policy.Attrs[t].Kind]++
		}
	}
}

// TestKernelAgreement sends requests to operations of the running kernel and compares the
// kernel's validation of their attributes with nlwire's. NLWIRE_SEED and NLWIRE_REQUESTS set the
// seed and the number of requests.
func TestKernelAgreement(t *testing.T) {
	kerneltest.EnterNetNS(t)
	seed, requests := kerneltest.Environment(t, "NLWIRE_SEED", 1), kerneltest.Environment(t, "NLWIRE_REQUESTS", 300_000)
	operations := allOperations(t)
	g := generate.New(uint64(seed))
	n := &tally{accepted: map[policy.Kind]int{}, refused: map[policy.Kind]int{}, explained: map[string]int{}, open: map[string]int{}}
	check := func(o *operation, attrs []byte) {
		if !o.isCertain(attrs) {
			return
		}
		c := o.compare(t, attrs)
		n.add(&c)
		if c.agrees() {
			return
		}
		if name := explain(&c); name != "" {
			n.explained[name]++
			return
		}
		n.unexplained++
		if key := c.key(); n.first(key) {
			t.Errorf("seed %d: %v", seed, &c)
		}
	}
	families := byFamily(operations)
	for _, name := range slices.Sorted(maps.Keys(families)) {
		own := families[name]
		share := requests / len(families) / len(own) // every family has the same share
		for _, o := range own {
			end := n.requests + share
			for _, attrs := range systematic(o, g, share/2) {
				check(o, attrs)
			}
			for range 10 * share { // some streams are not certain
				if n.requests >= end {
					break
				}
				check(o, g.Stream(o.policy))
			}
		}
	}
	for n.requests < requests { // the remainders of the divisions
		o := &operations[g.IntN(len(operations))]
		check(o, g.Stream(o.policy))
	}
	n.print(t, operations)
}

func byFamily(operations []operation) map[string][]*operation {
	families := map[string][]*operation{}
	for i := range operations {
		o := &operations[i]
		families[o.family] = append(families[o.family], o)
	}
	return families
}

// systematic returns single attributes that test every rule at the top level of an operation:
// with every length from 0 to 20, with each flag bit, and for a small bitfield with every value
// and selector. If there are more than most, it returns a random selection.
func systematic(o *operation, g generate.Generator, most int) (all [][]byte) {
	for typ := range len(o.policy.Attrs) + 2 {
		for size := range 21 {
			for _, flags := range []uint16{0, nla.Nested, nla.NetByteOrder} {
				all = append(all, nla.AppendBytes(nil, uint16(typ)|flags, g.Bytes(size)))
			}
		}
		if r := generate.RuleOf(o.policy, typ); r.Kind == policy.KindBitfield32 && r.Mask < 16 {
			for i := range 32 * 32 {
				all = append(all, nla.AppendBytes(nil, uint16(typ), g.Bitfield(uint32(i)%32, uint32(i)/32)))
			}
		}
	}
	if len(all) > most {
		g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:most]
	}
	return all
}

func (n *tally) print(t *testing.T, operations []operation) {
	families := map[string]bool{}
	for _, o := range operations {
		families[o.family] = true
	}
	kinds := map[policy.Kind]bool{}
	for k := range n.accepted {
		kinds[k] = true
	}
	for k := range n.refused {
		kinds[k] = true
	}
	fmt.Printf("agreement: requests=%d families=%d ops=%d types=%d unexplained=%d\n",
		n.requests, len(families), len(operations), len(kinds), n.unexplained)
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%-12v accepted %6d, rejected %6d", k, n.accepted[k], n.refused[k])
	}
	explained := 0
	for _, r := range explanations {
		explained += n.explained[r.name]
		t.Logf("explained %6d: %s", n.explained[r.name], r.name)
	}
	if explained*100 > n.requests {
		t.Errorf("%d of %d requests need an explanation, more than 1 %%", explained, n.requests)
	}
	unsure := 0
	for _, u := range unsureOf(operations) {
		unsure += len(u)
	}
	t.Logf("%d rules are not known: no request has their types", unsure)
	t.Logf("families: %s", strings.Join(slices.Sorted(maps.Keys(families)), " "))
}

// unsureOf returns the types of Generic Netlink families that are not sent, by policy.
func unsureOf(operations []operation) unsureRules {
	all := unsureRules{}
	for _, o := range operations {
		if o.family != "rtnetlink" { // its policies are in this test, in part
			maps.Copy(all, o.unsure)
		}
	}
	return all
}

func allOperations(t *testing.T) []operation {
	t.Helper()
	c, err := ctrl.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	families, err := c.Families(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := newKernel(t, socket.Generic)
	var out []operation
	for _, f := range families {
		out = append(out, k.genericOperations(t, c, f)...)
	}
	return append(out, routeOperations(t, newKernel(t, socket.Route))...)
}

// explanation is a known disagreement that is not an error of nlwire: a name and a narrow
// condition.
type explanation struct {
	name    string
	applies func(*comparison) bool
}

var explanations = []explanation{
	// genl_start validates the request; its warning is lost before the first datagram is made
	// (netlink_dump).
	{"a dump loses the warning of its request", func(c *comparison) bool {
		return c.op.flags&nlmsg.FlagDump != 0 && c.errno == 0 && len(c.kernel.Msg) == 0
	}},
	{"the end of a dump has no offset and policy on this kernel", func(c *comparison) bool {
		if c.op.flags&nlmsg.FlagDump == 0 || c.op.kernel.features.Has(bus.FeatureDoneExtAck) {
			return false
		}
		return c.errno == c.kernel.Errno && c.report.Msg == string(c.kernel.Msg) && c.kernel.Offset == 0 && c.kernel.Policy == nil
	}},
	// hsr_get_node_status and hsr_get_node_list call netlink_ack without an extended
	// acknowledgement. For the request 1 of SMC_PNETID the cause is not known.
	{"HSR and SMC_PNETID lose the warning of a request", func(c *comparison) bool {
		return (c.op.family == "HSR" || c.op.family == "SMC_PNETID") && c.errno == 0 && len(c.kernel.Msg) == 0
	}},
	// Such as validate_ie_attr of nl80211: a CheckFunc, which the kernel does not export.
	{"a check function rejects an earlier attribute", func(c *comparison) bool {
		isOwn := c.kernel.Errno != 0 && !slices.Contains(texts, string(c.kernel.Msg))
		isEarlier := c.kernel.Offset < uint32(c.report.Offset) || !c.report.HasAttr
		return isOwn && isEarlier && c.errno != 0 && c.mayCall()
	}},
	// Such as strset_parse_request and ethnl_parse_bitset: the policy contains an NLA_NESTED
	// without a nested policy, and the handler validates the contents with the same functions.
	{"the operation validates a nest without a nested policy itself", func(c *comparison) bool {
		return c.errno == 0 && c.kernel.Errno != 0 && c.blamesBareNest()
	}},
}

// mayCall reports whether the kernel rejects an attribute that may have a check function, or does
// not report which. An export shows a function by a missing range at most.
func (c *comparison) mayCall() bool {
	if c.kernel.Offset == 0 {
		return true
	}
	attrs := c.request.Attrs(len(c.op.header))
	p, start := c.op.policy, len(c.request)-len(attrs)
	for len(attrs) > 0 {
		a, n := nla.Consume(attrs)
		if n < 0 {
			return false
		}
		end, r := start+n, generate.RuleOf(p, int(a.Type()))
		switch at := int(c.kernel.Offset); {
		case at == start:
			return r.Check == policy.CheckFunc || r.Kind == policy.KindBinary || r.Kind == policy.KindString || r.Kind == policy.KindNULString
		case at < end && r.Nested == nil:
			return false
		case at < end:
			p, attrs, start = r.Nested, a.Payload(), start+nla.HeaderLen
		default:
			attrs, start = attrs[n:], end
		}
	}
	return false
}

// blamesBareNest reports whether the kernel rejects the contents of a nest that has no nested
// policy at the top level.
func (c *comparison) blamesBareNest() bool {
	attrs := c.request.Attrs(len(c.op.header))
	start := len(c.request) - len(attrs)
	for a := range nla.All(attrs) {
		r := generate.RuleOf(c.op.policy, int(a.Type()))
		isBare := r.Kind == policy.KindNested && r.Nested == nil && len(a.Payload()) > 0
		inside := int(c.kernel.Offset) > start && int(c.kernel.Offset) < start+len(a)
		if isBare && (inside || c.kernel.Offset == 0) {
			return true
		}
		start += nla.Align(len(a))
	}
	return false
}

func explain(c *comparison) string {
	for _, r := range explanations {
		if r.applies(c) {
			return r.name
		}
	}
	return ""
}

// first counts a kind of disagreement and reports whether it is new.
func (n *tally) first(key string) bool {
	n.open[key]++
	return n.open[key] == 1
}
