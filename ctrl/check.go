package ctrl

import (
	"context"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Checker validates requests for one operation with the policy that the kernel exports,
// without sending anything. It refuses no request that the kernel accepts: if the export
// omits part of a rule, the Checker accepts the attribute.
//
// The export also omits how strictly the kernel applies a policy. A Checker assumes liberal
// validation, the older of the two modes; [Checker.Strict] selects the other.
//
// Any number of goroutines may use one Checker. It is valid as long as the family remains
// registered.
type Checker struct {
	header int // length of struct genlmsghdr and the family header
	exists bool
	export *policy.Policy // nil accepts everything
	accept *policy.Policy // refuses what every kernel refuses
	report *policy.Policy // finds the error of a refused request
	mode   policy.Mode
}

// Check validates a request as if sent by a caller with the necessary capabilities. If the
// length in the header is not written yet (0), as in conn.Request.B before it is sent, the
// request is all of m. The error is a *policy.Error with the errno, the text and the offset
// of the kernel's answer; the offset counts from the start of the message. If the kernel
// validates strictly and [Checker.Strict] was not used, the error of the kernel may differ.
//
// nil does not guarantee success: the kernel may apply rules that it does not export, and
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
// (policy.Strict). These are the operations of newer families that do not set
// GENL_DONT_VALIDATE_STRICT or GENL_DONT_VALIDATE_DUMP_STRICT. Types above the last
// exported one, and types in between that are not exported, pass with every payload. For an
// operation that the kernel validates liberally, the Checker refuses too much.
func (k *Checker) Strict() *Checker {
	strict := *k
	strict.apply(policy.Strict)
	return &strict
}

// apply derives the policies for a mode. The Checker must not refuse top-level types above
// the last exported one, but must refuse such types of nests. The policy therefore has
// StrictStart 1, and the mode refuses only leftover bytes.
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

// Checker returns a Checker for the dump of an operation if isDump is set, otherwise for
// its do. It sends one request, GETPOLICY, to the controller, and none to the operation. If
// the family lacks the operation or the operation has no policy, it sends none; the Checker
// then refuses or accepts everything.
//
// The error is [ErrNotExported] if the kernel cannot export policies, and [ErrHeaderSize]
// if the family header exceeds 4 KiB, which ParseFamily refuses.
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
	// Kernels such as Linux 6.18 announce empty policies and do not apply them. The export
	// of one operation omits them, unlike the export of all operations.
	policies, isCommon, err := c.opPolicy(ctx, f.ID, cmd)
	if err != nil {
		return nil, err
	}
	switch {
	case !isDump:
		k.export = policies.Do
	case !isCommon: // the dump of a common policy may not be validated (GENL_DONT_VALIDATE_DUMP)
		k.export = policies.Dump
	}
	k.apply(policy.Liberal)
	return k, nil
}

// Check validates a request with the exported policy of its operation, and assumes liberal
// validation. A refusal is a *policy.Error; see [Checker.Check]. Check requests the family
// and its policy from the controller. To validate several requests, use a [Checker].
//
// Any other error means that the request was not validated: [ErrNotExported] if the kernel
// cannot export policies, [ErrUnknown] if no family has the message type.
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
