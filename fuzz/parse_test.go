package fuzz

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// reader decodes the description of a policy from bytes. After their end it reads zeros.
type reader struct{ b []byte }

func (r *reader) next() int {
	if len(r.b) == 0 {
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return int(c)
}

// small returns a number: usually one at the limits of common lengths and values, sometimes any.
func (r *reader) small() int64 {
	switch c := r.next(); {
	case c < 128:
		return int64(c % 20)
	case c < 160:
		return -int64(c % 20)
	case c < 240:
		return 1<<(c%64) - int64(c&1)
	default:
		return int64(r.next()) << 8 * int64(r.next())
	}
}

var errOdd = errors.New("odd")

func refuseOdd(a nla.Attr) error {
	if p := a.Payload(); len(p) > 0 && p[0]%2 == 1 {
		return errOdd
	}
	return nil
}

// policies returns the first of several policies, which may nest each other and themselves. Rules
// may be contradictory, as those of a user may be.
func (r *reader) policies() *policy.Policy {
	all := make([]policy.Policy, 1+r.next()%3)
	for i := range all {
		p := &all[i]
		p.Attrs = make([]policy.Rule, r.next()%12)
		if c := r.next(); c%4 == 0 {
			p.StrictStart = uint16(c / 4 % 12)
		}
		for t := range p.Attrs {
			p.Attrs[t] = r.rule(all)
		}
	}
	return &all[0]
}

func (r *reader) rule(all []policy.Policy) policy.Rule {
	rule := policy.Rule{Kind: policy.Kind(r.next() % int(policy.KindUint+1))}
	how := r.next()
	if how%2 == 1 {
		rule.Len = uint16(r.small())
	}
	if how%4 > 1 || rule.Kind == policy.KindBitfield32 {
		rule.Mask = uint32(r.small())
	}
	if how%8 > 3 {
		rule.Check = policy.Check(r.next() % int(policy.CheckFunc+1))
		rule.Min, rule.Max = r.small(), r.small()
	}
	switch rule.Kind {
	case policy.KindNested, policy.KindNestedArray:
		if how%16 < 13 {
			rule.Nested = &all[r.next()%len(all)]
		}
	case policy.KindReject:
		if how%16 < 8 {
			rule.Reject = "not this one"
		}
	}
	if rule.Check == policy.CheckFunc && how%16 < 14 {
		rule.Func = refuseOdd
	}
	return rule
}

// agree compares ParseReport and Parse with the oracle.
func agree(t *testing.T, b []byte, p *policy.Policy, mode policy.Mode) {
	t.Helper()
	want := consult(b, p, mode)
	tb := &nla.Table{Slots: make([]uint32, len(p.Attrs))}
	r := policy.Report{}
	errno := policy.ParseReport(tb, b, p, mode, &r)
	offset, typ := -1, 0
	if r.HasAttr {
		offset, typ = r.Offset, int(r.Type)
	}
	if int(errno) != want.errno || r.Msg != want.msg || offset != want.offset || typ != want.typ || r.Policy != want.rule {
		t.Fatalf("mode %s: errno %d, %q at %d, type %d, rule %+v\nthe oracle: errno %d, %q at %d, type %d, rule %+v\nstream % x",
			mode, errno, r.Msg, offset, typ, r.Policy, want.errno, want.msg, want.offset, want.typ, want.rule, b)
	}
	if errno == 0 {
		agreeOnTable(t, tb, want.table)
	}
	err := policy.Parse(tb, b, p, mode)
	var refusal *policy.Error
	if (err != nil) != (want.errno != 0) || errors.As(err, &refusal) && (int(refusal.Errno) != want.errno || refusal.Report != r) {
		t.Fatalf("mode %s: Parse: %v; ParseReport: errno %d, %+v", mode, err, errno, r)
	}
	if err == nil {
		agreeOnTable(t, tb, want.table)
	}
	var alone *policy.Error
	if err := policy.Validate(b, p, mode); (err != nil) != (refusal != nil) || errors.As(err, &alone) && *alone != *refusal {
		t.Fatalf("mode %s: Validate: %v; Parse: %v", mode, err, refusal)
	}
	agreeInMessage(t, b, p, mode, errno, r)
}

// agreeInMessage validates the stream after a fixed header in a message. The result must be the
// same, with an offset from the start of the message.
func agreeInMessage(t *testing.T, b []byte, p *policy.Policy, mode policy.Mode, errno errno.Errno, want policy.Report) {
	t.Helper()
	hdrlen := len(b) % 9
	m := nlmsg.Begin(nil, 0x20, 0, 0, 0)
	m = append(append(m, make([]byte, nlmsg.Align(hdrlen))...), b...)
	size := len(m)
	if want.HasAttr {
		want.Offset += nlmsg.HeaderLen + nlmsg.Align(hdrlen)
	}
	r := policy.Report{}
	if got := nlmsg.ParseReport(nil, nlmsg.Msg(nlmsg.End(m, 0)[:size]), hdrlen, p, mode, &r); got != errno || r != want {
		t.Fatalf("mode %s: in a message errno %d, %+v, want %d, %+v", mode, got, r, errno, want)
	}
}

// agreeOnSteps counts the attributes that are checked if each may be a nest in a nest. Ten levels
// are the limit for every stream.
func agreeOnSteps(t *testing.T, b []byte) {
	t.Helper()
	steps := 0
	count := func(nla.Attr) error { steps++; return nil }
	p := &policy.Policy{Attrs: make([]policy.Rule, 16)}
	for typ := range p.Attrs {
		p.Attrs[typ] = policy.Rule{Kind: policy.KindBinary, Check: policy.CheckFunc, Func: count}
		if typ%4 != 3 {
			p.Attrs[typ] = policy.Rule{Kind: policy.KindNested, Check: policy.CheckFunc, Func: count, Nested: p}
		}
	}
	guard.Memory(t, b, 256, func() { _ = policy.Validate(b, p, policy.Liberal) })
	steps = 0
	if err := policy.Validate(b, p, policy.Liberal); steps > 10*(len(b)/4) {
		t.Fatalf("%d steps in %d bytes, %v", steps, len(b), err)
	}
}

func agreeOnTable(t *testing.T, tb *nla.Table, want map[int]string) {
	t.Helper()
	for typ := range tb.Slots {
		a := tb.Get(uint16(typ))
		if bytes, ok := want[typ]; string(a) != bytes || (a != nil) != ok {
			t.Fatalf("table: type %d is % x, the oracle has % x", typ, []byte(a), bytes)
		}
	}
}

// nestsItself describes a policy with a type 1 that is a nest with the same policy.
var nestsItself = []byte{0, 2, 1, byte(policy.KindUnspec), 0, byte(policy.KindNested), 0, 0}

// FuzzParse compares validation with the oracle for arbitrary policies.
func FuzzParse(f *testing.F) {
	for seed := range uint64(64) {
		g := generate.New(seed)
		description := description(g)
		p := (&reader{description}).policies()
		f.Add(description, byte(g.IntN(32)), g.Stream(p))
	}
	for i, s := range seeds.Attributes() {
		f.Add(description(generate.New(uint64(i))), byte(i), s.B)
		f.Add(nestsItself, byte(policy.Liberal), s.B)
	}
	f.Fuzz(func(t *testing.T, description []byte, mode byte, stream []byte) {
		if len(stream) > 4096 {
			stream = stream[:4096]
		}
		agree(t, stream, (&reader{description}).policies(), policy.Mode(mode)&policy.Strict)
		agreeOnSteps(t, stream)
	})
}

func description(g generate.Generator) []byte {
	b := make([]byte, 40+g.IntN(200))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// TestParseAgreesWithTheOracle runs the check of FuzzParse on streams that nearly satisfy their
// policies, and checks that every possible result occurs.
func TestParseAgreesWithTheOracle(t *testing.T) {
	g := generate.New(1)
	streams := 200_000
	if testing.Short() {
		streams = 20_000
	}
	answers, kinds := map[string]int{}, map[policy.Kind]int{}
	for range streams / 20 {
		description := description(g)
		for range 20 {
			p := (&reader{description}).policies()
			b, mode := g.Stream(p), policy.Mode(g.IntN(int(policy.Strict)+1))
			agree(t, b, p, mode)
			want := consult(b, p, mode)
			answers[want.msg]++
			if want.rule != nil {
				kinds[want.rule.Kind]++
			}
		}
	}
	const texts = 14 // the texts of lib/nlattr.c, no text, "odd" and "not this one"
	if len(answers) < texts {
		t.Errorf("%d different answers of at least %d: %v", len(answers), texts, answers)
	}
	if len(kinds) < int(policy.KindUint) { // a KindUnspec fails only by its length
		t.Errorf("errors contain only %d kinds: %v", len(kinds), kinds)
	}
}
