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

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla/policy"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// kernel is a socket to the kernel, opened in the test's network namespace.
type kernel struct {
	socket *socket.Socket
	seq    uint32
	buf    []byte
	req    []byte
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
	s.SetReadDeadline(time.Now().Add(5 * time.Minute))
	return &kernel{socket: s, buf: make([]byte, 64<<10)}
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
	for i := range operations {
		systematic(&operations[i], g, check)
	}
	for n.requests < requests {
		o := &operations[g.IntN(len(operations))]
		check(o, g.Stream(o.policy))
	}
	n.print(t, operations)
}

// systematic tests every rule at the top level of an operation in separate requests: with every
// length from 0 to 20, with each flag bit, and for a small bitfield with every value and
// selector.
func systematic(o *operation, g generate.Generator, check func(*operation, []byte)) {
	for typ := range len(o.policy.Attrs) + 2 {
		for size := range 21 {
			for _, flags := range []uint16{0, nla.Nested, nla.NetByteOrder} {
				check(o, nla.AppendBytes(nil, uint16(typ)|flags, g.Bytes(size)))
			}
		}
		if r := generate.RuleOf(o.policy, typ); r.Kind == policy.KindBitfield32 && r.Mask < 16 {
			for i := range 32 * 32 {
				check(o, nla.AppendBytes(nil, uint16(typ), g.Bitfield(uint32(i)%32, uint32(i)/32)))
			}
		}
	}
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
	for _, r := range explanations {
		t.Logf("explained %6d: %s", n.explained[r.name], r.name)
	}
	t.Logf("families: %s", strings.Join(slices.Sorted(maps.Keys(families)), " "))
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
	// strset_parse_request, ethnl_parse_bitset: the policy contains an NLA_NESTED without a
	// nested policy, and the handler validates the contents with the same functions.
	{"ethtool parses string sets and bitsets itself, after the policy", func(c *comparison) bool {
		return c.op.family == "ethtool" && c.errno == 0 && c.kernel.Errno != 0 && c.blamesBareNest()
	}},
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
