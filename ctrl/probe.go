package ctrl

import (
	"context"
	"errors"
	"syscall"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// prober asks an operation for what the controller does not tell of its policy.
type prober struct {
	client  *Client
	family  *Family
	cmd     uint8
	isDump  bool
	refused []byte // an attribute that is refused in any mode
}

// The kernel's texts that tell rules and modes apart.
const (
	textGeneric     = "Attribute failed policy validation"
	textUnknown     = "Unknown attribute type"
	textUnsupported = "Unsupported attribute"
	textLength      = "invalid attribute length"
	textNest        = "NLA_F_NESTED not expected"
	textNoNest      = "NLA_F_NESTED is missing"
)

// find fills in the mode and the policy of k.
func (o *prober) find(ctx context.Context, k *Checker, p *nla.Policy) error {
	k.policy = lenient(p, nla.Liberal)
	if o.refused == nil {
		return nil // liberal refuses least
	}
	answer, err := o.ask(ctx, nil)
	switch {
	case err != nil:
		return err
	case answer == nil:
		k.policy, k.known = nil, true // not validated at all, as some dumps
	case answer.Errno == syscall.EPERM:
		// Refused before the policy.
	case answer.Msg == textGeneric:
		k.known = true
	case answer.Msg == textLength || answer.Msg == textNest || answer.Msg == textNoNest:
		k.mode, k.known, k.policy = nla.Strict, true, lenient(p, nla.Strict)
		return o.complete(ctx, k.policy, p)
	default:
		k.policy, k.known = nil, true // the operation itself answered
	}
	return nil
}

// ask sends attributes, and behind them the one that is refused. It returns the
// kernel's answer, nil for success.
func (o *prober) ask(ctx context.Context, attrs []byte) (*conn.Error, error) {
	var header [genlmsg.HeaderLen]byte
	c := o.client.conn
	r := c.Request(nlmsg.Type(o.family.ID), nlmsg.Request|nlmsg.Ack, genlmsg.Append(header[:0], o.cmd, uint8(o.family.Version)))
	defer r.Release()
	r.Op = "find the rules of family " + o.family.Name
	r.B = append(r.B, make([]byte, nlmsg.Align(int(o.family.HdrSize)))...)
	r.B = append(append(r.B, attrs...), o.refused...)
	var err error
	if o.isDump {
		for _, err = range c.Dump(ctx, r) {
			if err == nil {
				break
			}
		}
	} else {
		_, err = c.Do(ctx, r)
	}
	var answer *conn.Error
	if err != nil && !errors.As(err, &answer) {
		return nil, err
	}
	return answer, nil
}

// complete finds the rules of the top level that were not told, which only strict
// validation tells apart, up to the first type that the kernel does not know.
func (o *prober) complete(ctx context.Context, own, told *nla.Policy) error {
	for typ := 1; typ <= nla.TypeMask; typ++ {
		if typ < len(told.Attrs) && LostOf(&told.Attrs[typ]) != LostRule {
			continue
		}
		r, exists, err := o.rule(ctx, uint16(typ))
		if err != nil || !exists {
			return err
		}
		extend(own, typ)
		own.Attrs[typ] = r
	}
	return nil
}

// rule finds a rule that is not told: of a KindUnspec, KindReject, KindBE16 or
// KindBE32, which answer differently to an empty attribute, and to one of 2 bytes.
func (o *prober) rule(ctx context.Context, typ uint16) (r nla.Rule, exists bool, err error) {
	answer, err := o.ask(ctx, nla.AppendFlag(nil, typ))
	if err != nil {
		return nla.Rule{}, false, err
	}
	if o.hasPassed(answer) {
		return anything, true, nil // not one of these
	}
	switch answer.Msg {
	case textUnknown:
		return nla.Rule{}, false, nil
	case textUnsupported:
		return nla.Rule{}, true, nil
	case textGeneric:
		return nla.Rule{Kind: nla.KindReject}, true, nil
	case textLength:
		answer, err = o.ask(ctx, nla.AppendUint16(nil, typ, 0))
		if err != nil || o.hasPassed(answer) || answer.Msg != textLength {
			return anything, true, err // of 2 bytes, perhaps with a range
		}
		return nla.Rule{Kind: nla.KindBE32, Check: nla.CheckFunc}, true, nil
	}
	return nla.Rule{Kind: nla.KindReject, Reject: answer.Msg}, true, nil
}

// hasPassed reports whether an attribute that was sent in front passed: the answer
// is then about the one behind it.
func (o *prober) hasPassed(answer *conn.Error) bool {
	const offset = nlmsg.HeaderLen + genlmsg.HeaderLen
	return answer == nil || int(answer.Offset) != offset+nlmsg.Align(int(o.family.HdrSize))
}

// anything accepts every payload in any mode.
var anything = nla.Rule{Kind: nla.KindBinary}

// lenient returns a copy of a policy for a mode, which accepts whatever a rule may
// accept of which something is lost. A rule that was not told accepts all.
func lenient(p *nla.Policy, mode nla.Mode) *nla.Policy {
	return lenientCopy(p, mode, map[*nla.Policy]*nla.Policy{})
}

func lenientCopy(p *nla.Policy, mode nla.Mode, seen map[*nla.Policy]*nla.Policy) *nla.Policy {
	if p == nil || seen[p] != nil {
		return seen[p]
	}
	out := &nla.Policy{Attrs: make([]nla.Rule, len(p.Attrs))}
	seen[p] = out
	for typ := range p.Attrs {
		r := p.Attrs[typ]
		if isExactLen(&r) {
			r = nla.ExactLenWarn(uint16(r.Min)) // which is told as ExactLen
		}
		switch LostOf(&r) {
		case LostKind:
			r = nla.Rule{Kind: nla.KindBinary, Check: nla.CheckFunc, Func: isUintOrMsecs}
		case LostRule:
			if mode == nla.Strict { // where NLA_UNSPEC is refused, and perhaps should not be
				r = anything
			}
		}
		r.Nested = lenientCopy(r.Nested, mode, seen)
		out.Attrs[typ] = r
	}
	return out
}

func isExactLen(r *nla.Rule) bool {
	return r.Kind == nla.KindBinary && r.Check == nla.CheckRange && r.Min == r.Max
}

// isUintOrMsecs refuses what is neither an UINT nor an MSECS.
func isUintOrMsecs(a nla.Attr) error {
	if n := len(a.Payload()); n != 4 && n < 8 {
		return errLength
	}
	return nil
}

var errLength = &nla.PolicyError{Errno: nla.EINVAL, Report: nla.Report{Msg: textLength}}

// appendRefused appends an attribute that its rule refuses in every mode, with
// another text in strict ones. It appends nothing if no rule does that.
func appendRefused(b []byte, p *nla.Policy) []byte {
	for typ := range p.Attrs {
		typ := uint16(typ)
		switch p.Attrs[typ].Kind {
		case nla.KindU8, nla.KindS8:
			return nla.AppendFlag(b, typ)
		case nla.KindU16, nla.KindU32, nla.KindU64, nla.KindS16, nla.KindS32, nla.KindS64, // too short
			nla.KindNested, nla.KindNestedArray: // too short as well, and without the bit
			return nla.AppendUint8(b, typ, 0)
		case nla.KindFlag, nla.KindSint:
			return nla.AppendUint8(b, typ|nla.Nested, 0)
		case nla.KindString, nla.KindNULString, nla.KindBitfield32:
			return nla.AppendFlag(b, typ|nla.Nested)
		}
	}
	return b
}
