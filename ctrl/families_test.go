package ctrl

import (
	"errors"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// Texts of rules in these families, apart from the kernel's texts.
const (
	textRejected = "attribute 18 is replaced by 17"
	textOdd      = "an odd number"
)

// selfNested returns a policy that nests itself, and nests an array of a policy that nests
// it.
func selfNested() *policy.Policy {
	own := &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU8, 1, 7), 2: {Kind: policy.KindNested}, 3: {Kind: policy.KindNestedArray}}}
	other := &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU16}, 2: policy.Nest(own)}}
	own.Attrs[2].Nested, own.Attrs[3].Nested = own, other
	return own
}

// everyKind returns a policy with a rule of every kind and check, including rules that the
// controller exports as others or not at all.
func everyKind() *policy.Policy {
	inner := selfNested()
	return &policy.Policy{Attrs: []policy.Rule{
		1:  {Kind: policy.KindU8},
		2:  policy.Range(policy.KindU16, 3, 400),
		3:  policy.Mask(policy.KindU32, 5),
		4:  policy.Min(policy.KindU64, 1<<40),
		5:  {Kind: policy.KindString, Len: 8},
		6:  {Kind: policy.KindFlag},
		7:  {Kind: policy.KindMsecs},
		8:  policy.Nest(inner),
		9:  policy.NestArray(inner),
		10: {Kind: policy.KindNULString, Len: 15},
		11: {Kind: policy.KindBinary, Len: 6},
		12: policy.Range(policy.KindS8, -5, 5),
		13: {Kind: policy.KindS16},
		14: policy.Max(policy.KindS32, -1),
		15: {Kind: policy.KindS64},
		16: policy.Mask(policy.KindBitfield32, 3),
		17: {Kind: policy.KindReject},
		18: {Kind: policy.KindReject, Reject: textRejected},
		19: {Kind: policy.KindBE16},
		20: policy.Range(policy.KindBE32, 1, 100),
		21: {Kind: policy.KindSint},
		22: {Kind: policy.KindUint},
		23: policy.Mask(policy.KindUint, 0xff),
		24: {},
		25: policy.ExactLen(6),
		26: policy.ExactLenWarn(6),
		27: policy.MinLen(3),
		28: {Kind: policy.KindU32, Check: policy.CheckFunc, Func: isEven},
		29: policy.RangeUnsigned(policy.KindU64, 1, 1<<63+1),
		30: {Kind: policy.KindNULString},
		31: {Kind: policy.KindNested},
		32: {Kind: policy.KindUnspec, Len: 4},
	}}
}

func isEven(a nla.Attr) error {
	if v, err := a.Uint32(); err == nil && v%2 != 0 {
		return errors.New(textOdd)
	}
	return nil
}

func accept(*bus.Info) error { return nil }
func none(*bus.Dump) error   { return nil }

// families returns families with operations of all forms and policies of all kinds. The
// operations do nothing, so that only validation refuses requests.
func families() []*bus.Family {
	every, self := everyKind(), selfNested()
	const liberal = bus.DontValidateStrict | bus.DontValidateDumpStrict
	many := &bus.Family{Name: "many", Version: 1, NetNSOK: true, Groups: []bus.Group{{Name: "one"}, {Name: "two"}, {Name: "three"}}}
	for cmd := range uint8(50) {
		p := &policy.Policy{Attrs: []policy.Rule{1: policy.Range(policy.KindU32, 1, int64(cmd)+1), 2: policy.Nest(self)}}
		many.Ops = append(many.Ops, bus.Op{Cmd: cmd + 1, Policy: p, Do: accept})
	}
	return []*bus.Family{
		docexmpl.New(),
		{Name: "strict", Version: 1, NetNSOK: true, Ops: []bus.Op{
			{Cmd: 1, Policy: every, Do: accept, Dump: none}, {Cmd: 2, Policy: self, Do: accept}, {Cmd: 3, Dump: none},
		}},
		{Name: "liberal", Version: 2, NetNSOK: true, ResvStartOp: 0xff, Policy: every, Ops: []bus.Op{
			{Cmd: 1, Validate: liberal, Do: accept, Dump: none},
			{Cmd: 2, Validate: bus.DontValidateStrict, Do: accept, Dump: none},
			{Cmd: 3, Validate: bus.DontValidateDump, Do: accept, Dump: none},
		}},
		{Name: "header6", Version: 1, HdrSize: 6, NetNSOK: true, Policy: every, Ops: []bus.Op{{Cmd: 1, Do: accept, Dump: none}}},
		{Name: "header24", Version: 255, HdrSize: 24, NetNSOK: true, ResvStartOp: 3, Ops: []bus.Op{
			{Cmd: 2, Validate: liberal, Policy: self, Do: accept, Dump: none}, {Cmd: 9, Policy: self, Dump: none},
		}},
		{Name: "split", Version: 1, NetNSOK: true, SplitOps: []bus.SplitOp{
			{Cmd: 1, Flags: genlmsg.OpDo, Policy: every, Do: accept},
			{Cmd: 1, Flags: genlmsg.OpDump, Policy: self, Dump: none},
			{Cmd: 2, Flags: genlmsg.OpDo, Policy: self, Do: accept},
			{Cmd: 3, Flags: genlmsg.OpDump, Policy: every, Dump: none},
			{Cmd: 4, Flags: genlmsg.OpDo, Do: accept},
			{Cmd: 4, Flags: genlmsg.OpDump, Dump: none},
		}},
		many,
		{Name: "here", Version: 1, Policy: self, Ops: []bus.Op{
			{Cmd: 1, Do: accept}, {Cmd: 2, Flags: genlmsg.OpAdmin, Do: accept}, {Cmd: 3, Flags: genlmsg.OpUnsAdmin, Do: accept},
		}},
		{Name: "admin", Version: 1, NetNSOK: true, Policy: every, Ops: []bus.Op{
			{Cmd: 1, Flags: genlmsg.OpAdmin, Do: accept}, {Cmd: 2, Flags: genlmsg.OpUnsAdmin, Do: accept, Dump: none},
		}},
		{Name: "silent", Version: 1, NetNSOK: true, Groups: []bus.Group{{Name: "events", Flags: bus.GroupNetAdmin}}},
		{Name: "fifteen-letters", Version: 1, Ops: []bus.Op{{Cmd: 1, Do: accept}}},
	}
}
