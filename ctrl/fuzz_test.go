package ctrl

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// slowDump decodes a policy dump slowly: references hold only the index of a table, and the
// size of a table is determined at the end.
type slowDump struct {
	ops    []slowOp
	rules  map[uint32]map[uint32]slowRule
	most   map[uint32]uint32 // the highest exported type of a table
	failed bool
}

type slowOp struct {
	cmd      uint16
	do, dump int64 // -1: none
}

type slowRule struct {
	rule  policy.Rule
	table int64 // -1: none
}

// each calls f for every attribute of b, and records leftover bytes.
func (d *slowDump) each(b []byte, f func(typ uint16, payload []byte)) {
	for len(b) > 0 && !d.failed {
		if len(b) < 4 || int(binary.NativeEndian.Uint16(b)) < 4 || int(binary.NativeEndian.Uint16(b)) > len(b) {
			d.failed = true
			return
		}
		n := int(binary.NativeEndian.Uint16(b))
		f(binary.NativeEndian.Uint16(b[2:])&0x3fff, b[4:n])
		b = b[min((n+3)/4*4, len(b)):]
	}
}

func (d *slowDump) index(payload []byte) int64 {
	if len(payload) != 4 {
		d.failed = true
		return -1
	}
	index := binary.NativeEndian.Uint32(payload)
	d.mention(index, 0)
	return int64(index)
}

// mention records a table and a type of it.
func (d *slowDump) mention(index, typ uint32) {
	d.most[index] = max(d.most[index], typ)
}

func joinSlowly(attrs []byte) *slowDump {
	d := &slowDump{rules: map[uint32]map[uint32]slowRule{}, most: map[uint32]uint32{}}
	d.each(attrs, func(typ uint16, payload []byte) {
		switch typ {
		case genlmsg.CtrlAttrOpPolicy:
			d.each(payload, func(cmd uint16, payload []byte) {
				op := slowOp{cmd, -1, -1}
				d.each(payload, func(which uint16, payload []byte) {
					switch which {
					case genlmsg.CtrlAttrPolicyDo:
						op.do = d.index(payload)
					case genlmsg.CtrlAttrPolicyDump:
						op.dump = d.index(payload)
					}
				})
				d.ops = append(d.ops, op)
			})
		case genlmsg.CtrlAttrPolicy:
			d.each(payload, func(table uint16, payload []byte) {
				d.mention(uint32(table), 0)
				d.each(payload, func(typ uint16, payload []byte) { d.describe(uint32(table), uint32(typ), payload) })
			})
		}
	})
	return d
}

func (d *slowDump) describe(table, typ uint32, payload []byte) {
	r, ref, err := policywire.ParseRule(payload)
	if err != nil || ref.Known && ref.MaxType > nla.TypeMask {
		d.failed = true
		return
	}
	s := slowRule{r, -1}
	if ref.Known {
		s.table = int64(ref.Index)
		d.mention(ref.Index, ref.MaxType)
	}
	d.mention(table, typ)
	if d.rules[table] == nil {
		d.rules[table] = map[uint32]slowRule{}
	}
	d.rules[table][typ] = s
}

// agrees compares the tables of the decoder with those of d.
func (d *slowDump) agrees(t *testing.T, got *policyDecoder) {
	t.Helper()
	if len(got.tables) != len(d.most) || len(got.policies.Ops) != len(d.ops) {
		t.Fatalf("%d tables and %d operations, want %d and %d", len(got.tables), len(got.policies.Ops), len(d.most), len(d.ops))
	}
	is := func(p *policy.Policy, index int64) bool {
		return p == nil && index < 0 || p != nil && index >= 0 && p == got.tables[uint32(index)]
	}
	for i, op := range got.policies.Ops {
		if want := d.ops[i]; op.Cmd != uint32(want.cmd) || op.Unnamed != (want.cmd == 0) || !is(op.Do, want.do) || !is(op.Dump, want.dump) {
			t.Fatalf("operation %d: %+v, want %+v", i, op, want)
		}
	}
	for index, table := range got.tables {
		for typ := range table.Attrs {
			want, exported := d.rules[index][uint32(typ)]
			r := table.Attrs[typ]
			if exported && !is(r.Nested, want.table) || !exported && r.Nested != nil {
				t.Fatalf("table %d, type %d: nested in the wrong table", index, typ)
			}
			if r.Nested = nil; !reflect.DeepEqual(r, want.rule) {
				t.Fatalf("table %d, type %d: %+v, want %+v", index, typ, r, want.rule)
			}
		}
		if most := d.most[index]; table.MaxType() != int(most) {
			t.Fatalf("table %d ends at %d, want %d", index, table.MaxType(), most)
		}
	}
}

// types counts the types in all tables like the decoder.
func (d *slowDump) types() (n int) {
	for index, most := range d.most {
		if most > 0 || len(d.rules[index]) > 0 {
			n += int(most) + 1
		}
	}
	return n
}

// FuzzPolicies decodes arbitrary attributes as a message of a policy dump and compares the
// result with that of slowDump. The memory that a dump can make the decoder allocate is
// limited. A decoded policy is the same after encoding and decoding.
func FuzzPolicies(f *testing.F) {
	var list []seeds.Seed
	var all []byte
	add := func(name string, b []byte) { list = append(list, seeds.Seed{Name: name, B: b}) }
	for attrs := range example().Messages() {
		add("example", bytes.Clone(attrs))
		all = append(all, attrs...)
	}
	add("whole example", all)
	for _, s := range seeds.Recorded() {
		if m, n := nlmsg.Consume(s.B); n > 0 && m.Type() == genlmsg.IDCtrl {
			add(s.Name, genlmsg.Attrs(m, 0))
		}
	}
	hostile := policywire.AppendNestRule(nil, &policy.Rule{Kind: policy.KindNested}, 9, 1<<32-1)
	add("highest type of 2^32-1", nla.AppendBytes(nil, genlmsg.CtrlAttrPolicy, nla.AppendBytes(nil, 1, nla.AppendBytes(nil, 1, hostile))))
	add("a hundred tables of 2^14 types", largeTables())
	seeds.Fuzz(f, list, func(t *testing.T, attrs []byte) {
		if len(attrs) > 1<<15 {
			return
		}
		d := newPolicyDecoder(30)
		err := d.add(policyMessage(attrs))
		// A rule has 56 bytes, and a table grows at most by doubling.
		guard.Memory(t, attrs, 2*60*(maxTypes+nla.TypeMask)+256*len(attrs)+4096, func() { _ = newPolicyDecoder(30).add(policyMessage(attrs)) })
		want := joinSlowly(attrs)
		if failed := want.failed || want.types() > maxTypes; (err != nil) != failed || d.types > maxTypes+nla.TypeMask+1 {
			t.Fatalf("%v with %d types; joined slowly: failed %v, %d types", err, d.types, want.failed, want.types())
		}
		if err == nil {
			want.agrees(t, d)
			checkAgain(t, d)
		}
	})
}

// checkAgain encodes the policies like the kernel and decodes them.
func checkAgain(t *testing.T, d *policyDecoder) {
	t.Helper()
	again := newPolicyDecoder(30)
	var first [][]byte
	for b := range d.finish().Messages() {
		if err := again.add(policyMessage(b)); err != nil {
			t.Fatalf("% x: %v", b, err)
		}
		first = append(first, bytes.Clone(b))
	}
	i := 0
	for b := range again.finish().Messages() {
		if i >= len(first) || !bytes.Equal(b, first[i]) {
			t.Fatalf("message %d: % x, was % x", i, b, first[min(i, len(first)-1)])
		}
		i++
	}
	for _, table := range again.tables {
		lenient(table, policy.Strict, true)
	}
}
