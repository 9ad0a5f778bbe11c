package ctrl

import (
	"context"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla/policy"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
)

// Checker validates requests for one operation by the policy that the kernel exports,
// without sending anything. It refuses no request that the kernel accepts: where the
// export omits part of a rule, the attribute passes.
//
// The export also omits how strictly the kernel applies a policy. A Checker assumes
// liberal validation, the older of two kinds; [Checker.Strict] states the other.
//
// Many goroutines may use one Checker. It is valid as long as the family stays
// registered.
type Checker struct {
	header int // length of struct genlmsghdr and the family header
	exists bool
	export *policy.Policy // nil accepts everything
	accept *policy.Policy // refuses what every kernel refuses
	report *policy.Policy // finds the error of a refused request
	mode   policy.Mode
}

// Check validates a request, as sent by a caller with the necessary capabilities; one whose
// length is not written yet (0), such as conn.Request.B before it is sent, is all of m. The
// error is a *policy.Error with the errno, the text and the offset of the kernel's
// answer; the offset counts from the start of the message. If the kernel validates
// strictly and [Checker.Strict] was not used, its error may be another one.
//
// nil does not promise success: the kernel may apply rules that it does not export, and
// the operation may refuse the request.
func (k *Checker) Check(m nlmsg.Msg) error {
	n := len(m)
	if m.Header().Len != 0 { // without the bytes after its length, such as padding
		m, n = nlmsg.Consume(m)
	}
	if n < 0 || len(m) < nlmsg.HeaderLen+k.header {
		return &policy.Error{Errno: errno.EINVAL}
	}
	if !k.exists {
		return errNoOperation
	}
	if k.export == nil || nlmsg.Parse(nil, m, k.header, k.accept, k.mode) == nil {
		return nil
	}
	return nlmsg.Parse(nil, m, k.header, k.report, k.mode)
}

// Strict returns a Checker for an operation that the kernel validates strictly
// (policy.Strict), as it does the operations of newer families: those that do not set
// GENL_DONT_VALIDATE_STRICT or GENL_DONT_VALIDATE_DUMP_STRICT. Of the types above the
// last one exported, and of those in between that are not exported, every payload
// passes. For an operation that is validated liberally it refuses too much.
func (k *Checker) Strict() *Checker {
	strict := *k
	strict.apply(policy.Strict)
	return &strict
}

// apply derives the policies of a mode. Strict validation cannot refuse the types above
// the last exported one of the top level, only of nests, so there it is a StrictStart
// in a mode that refuses nothing but leftover bytes.
func (k *Checker) apply(mode policy.Mode) {
	if k.export == nil {
		return
	}
	k.accept, k.report = lenient(k.export, mode, true), lenient(k.export, mode, false)
	if mode == policy.Strict {
		k.accept.StrictStart, k.report.StrictStart = 1, 1
		mode = policy.ValidateTrailing
	}
	k.mode = mode
	k.accept.Compile()
	k.report.Compile()
}

// errNoOperation is the answer of genl_family_rcv_msg.
var errNoOperation = &policy.Error{Errno: errno.EOPNOTSUPP}

// Checker returns a Checker for an operation: with isDump for its dump, without it for
// its do. It sends one request, GETPOLICY, to the controller, and none to the
// operation. An operation that the family lacks, or that has no policy, needs no
// request: the Checker refuses or accepts everything.
//
// A kernel that cannot export policies is [ErrNotExported]; a family header above
// 4 KiB, which ParseFamily refuses, is [ErrHeaderSize].
func (c *Client) Checker(ctx context.Context, f *Family, cmd uint8, isDump bool) (*Checker, error) {
	if f.HdrSize > maxHeader {
		return nil, headerError(f)
	}
	k := &Checker{header: genlmsg.HeaderLen + int(f.HdrSize)}
	op, _ := f.Op(cmd)
	wanted := genlmsg.OpDo
	if isDump {
		wanted = genlmsg.OpDump
	}
	if k.exists = op.Flags&wanted != 0; !k.exists || op.Flags&genlmsg.OpPolicy == 0 {
		return k, nil
	}
	// The export of one operation, unlike that of all, omits the empty policies that
	// kernels such as Linux 6.18 announce and do not apply.
	policies, isCommon, err := c.opPolicy(ctx, f.ID, cmd)
	if err != nil {
		return nil, err
	}
	switch {
	case !isDump:
		k.export = policies.Do
	case !isCommon: // else the dump may not be validated (GENL_DONT_VALIDATE_DUMP)
		k.export = policies.Dump
	}
	k.apply(policy.Liberal)
	return k, nil
}

// Check validates a request by the exported policy of its operation, assuming liberal
// validation: see [Checker.Check] for a refusal, which is a *policy.Error. It asks
// the controller for the family and its policy; keep a [Checker] to validate more
// than one request.
//
// Any other error means that the request was not validated: [ErrNotExported] on a
// kernel that cannot export policies, [ErrUnknown] for a type that no family has.
func (c *Client) Check(ctx context.Context, m nlmsg.Msg) error {
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		return &policy.Error{Errno: errno.EINVAL}
	}
	f, err := c.FamilyByID(ctx, m.Type())
	if err != nil {
		return err
	}
	k, err := c.Checker(ctx, &f, h.Cmd(), m.Flags()&nlmsg.FlagDump == nlmsg.FlagDump)
	if err != nil {
		return err
	}
	return k.Check(m)
}
