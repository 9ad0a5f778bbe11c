package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/slow"
)

// A reader with plain system calls and its own parser finds the same policies in every family,
// and the same operations and groups in show as in list.
func TestPolicyAgreesWithAnIndependentReader(t *testing.T) {
	_, stdout, _ := nlctl(t, "list", "-json")
	var families []family
	if err := json.Unmarshal([]byte(stdout), &families); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, f := range families {
		code, stdout, stderr := nlctl(t, "show", "-json", f.Name)
		var shown family
		if err := json.Unmarshal([]byte(stdout), &shown); code != exitOK || err != nil {
			t.Fatalf("show %q: exit %d, %v, stderr %q", f.Name, code, err, stderr)
		}
		for i := range shown.Ops {
			shown.Ops[i].Name = "" // not from the kernel
		}
		if diff := cmp.Diff(f, shown); diff != "" {
			t.Errorf("-list +show:\n%s", diff)
		}
		code, stdout, stderr = nlctl(t, "policy", "-json", f.Name)
		want := readPolicies(t, f.ID)
		if want == nil { // ENODATA
			continue
		}
		want.name(f.Ops)
		var got policies
		if err := json.Unmarshal([]byte(stdout), &got); code != exitOK || err != nil {
			t.Fatalf("policy %q: exit %d, %v, stderr %q", f.Name, code, err, stderr)
		}
		for i := range got.Ops {
			got.Ops[i].Name = ""
		}
		for _, table := range got.Policies {
			for i := range table {
				table[i].Name, table[i].Lost = "", ""
			}
			rules += len(table)
		}
		want.Family = f.Name
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("%q: -reader +nlctl:\n%s", f.Name, diff)
		}
	}
	if rules == 0 {
		t.Error("no family has a policy: nothing was compared")
	}
	t.Logf("%d rules of %d families agree", rules, len(families))
}

// name names the operations that a kernel without FeatureDumpOpCmd exports as command 0: those
// with a policy and no do, in the order of the list.
func (p *policies) name(ops []op) {
	unnamed := slices.DeleteFunc(slices.Clone(ops), func(o op) bool {
		return slices.Contains(o.Flags, "do") || !slices.Contains(o.Flags, "policy")
	})
	for i := range p.Ops {
		if p.Ops[i].ID == 0 && len(unnamed) > 0 {
			p.Ops[i].ID = unnamed[0].ID
			unnamed = unnamed[1:]
		}
	}
}

// attrs are attributes by type, or by index.
type attrs map[uint16][]byte

func parseAttrs(b []byte) (a attrs, types []uint16) {
	a = attrs{}
	list, _ := slow.Walk(b)
	for _, one := range list {
		a[one.Type] = one.Payload
		types = append(types, one.Type)
	}
	return a, types
}

// number returns the integer in an attribute, and whether there is one.
func (a attrs) number(typ uint16) (uint64, bool) {
	switch b := a[typ]; len(b) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(b)), true
	case 8:
		return binary.NativeEndian.Uint64(b), true
	}
	return 0, false
}

func (a attrs) index(typ uint16) *int {
	n, ok := a.number(typ)
	if !ok {
		return nil
	}
	i := int(n)
	return &i
}

// readPolicies reads the policies of a family, nil if it has none.
func readPolicies(t *testing.T, id uint16) *policies {
	t.Helper()
	const ctrl, getPolicy, attrID, attrPolicy, attrOpPolicy, opDo, opDump = 16, 10, 1, 8, 9, 1, 2
	out := &policies{Ops: []opPolicy{}, Policies: [][]rule{}}
	for _, payload := range dumpCtrl(t, getPolicy, attrID, id) {
		a, _ := parseAttrs(payload)
		ops, cmds := parseAttrs(a[attrOpPolicy])
		for _, cmd := range cmds {
			op, _ := parseAttrs(ops[cmd])
			out.Ops = append(out.Ops, opPolicy{ID: uint32(cmd), Do: op.index(opDo), Dump: op.index(opDump)})
		}
		tables, indexes := parseAttrs(a[attrPolicy])
		for _, i := range indexes {
			for len(out.Policies) <= int(i) {
				out.Policies = append(out.Policies, []rule{})
			}
			list, types := parseAttrs(tables[i])
			for _, typ := range types {
				out.Policies[i] = append(out.Policies[i], readRule(int(typ), list[typ]))
			}
		}
	}
	if len(out.Ops) == 0 && len(out.Policies) == 0 {
		return nil
	}
	return out
}

// kindsOf are the names of NL_ATTR_TYPE_*.
var kindsOf = []string{
	"", "flag", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "binary", "string", "nul-string", "nested", "nested-array",
	"bitfield32", "sint", "uint",
}

// readRule reads NL_POLICY_TYPE_ATTR_*.
func readRule(typ int, b []byte) rule {
	const kind, minS, maxS, minU, maxU, minLen, maxLen, policyIndex, bitfield, mask = 1, 2, 3, 4, 5, 6, 7, 8, 10, 12
	a, _ := parseAttrs(b)
	k, _ := a.number(kind)
	r := rule{Type: typ, Kind: kindsOf[k], Text: kindsOf[k], Nested: a.index(policyIndex)}
	bits := map[string]int{"u8": 8, "u16": 16, "u32": 32, "u64": 64, "uint": 64, "s8": 8, "s16": 16, "s32": 32, "s64": 64, "sint": 64}[r.Kind]
	for _, typ := range []uint16{mask, bitfield} {
		if v, ok := a.number(typ); ok {
			r.Text += fmt.Sprintf(" with bits of 0x%x", v)
			return r
		}
	}
	lo, isUnsigned := a.number(minU)
	hi, _ := a.number(maxU)
	slo, isSigned := a.number(minS)
	shi, _ := a.number(maxS)
	least, hasLeast := a.number(minLen)
	most, hasMost := a.number(maxLen)
	switch {
	case isUnsigned && (lo != 0 || hi != math.MaxUint64>>(64-bits)):
		r.Text += " of " + limits(lo, hi)
	case isSigned && (int64(slo) != math.MinInt64>>(64-bits) || int64(shi) != math.MaxInt64>>(64-bits)):
		r.Text += " of " + limits(int64(slo), int64(shi))
	case bits != 0 && !isUnsigned && !isSigned:
		r.Text += " that a function checks"
	case hasLeast && hasMost:
		r.Text += " of " + limits(least, most) + " bytes"
	case hasLeast:
		r.Text += fmt.Sprintf(" of %d.. bytes", least)
	case hasMost:
		r.Text += fmt.Sprintf(" of at most %d bytes", most)
	}
	return r
}

func limits[T uint64 | int64](lo, hi T) string {
	if lo == hi {
		return fmt.Sprint(lo)
	}
	return fmt.Sprintf("%d..%d", lo, hi)
}

// dumpCtrl sends a dump request with a u16 to the controller and returns the attributes of each
// message.
func dumpCtrl(t *testing.T, cmd byte, typ, value uint16) (messages [][]byte) {
	t.Helper()
	const ctrl, requestDump, typeError, typeDone, headers = 16, 0x301, 2, 3, 20
	s, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_GENERIC)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(s)
	e := binary.NativeEndian
	b := e.AppendUint32(nil, headers+8)
	b = e.AppendUint16(e.AppendUint16(b, ctrl), requestDump)
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, cmd, 1, 0, 0)
	b = e.AppendUint16(e.AppendUint16(e.AppendUint16(b, 6), typ), value)
	if err := syscall.Sendto(s, append(b, 0, 0), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 1<<16); ; {
		n, _, err := syscall.Recvfrom(s, buf, 0)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at+headers <= n; {
			size := int(e.Uint32(buf[at:]))
			switch e.Uint16(buf[at+4:]) {
			case typeError, typeDone: // ENODATA, or the end
				return messages
			}
			messages = append(messages, append([]byte(nil), buf[at+headers:at+size]...))
			at += (size + 3) / 4 * 4
		}
	}
}
