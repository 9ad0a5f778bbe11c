package ctrl

import (
	"context"
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Checker validates the requests for one operation as the kernel would, by the
// policy that the kernel told. It never refuses what the kernel accepts: where
// the kernel did not tell all of a rule, the Checker lets the attribute pass.
// Many goroutines may use one. It is good as long as the family is the same.
type Checker struct {
	header int // of the message's payload before the attributes
	exists bool
	policy *nla.Policy
	mode   nla.Mode
	known  bool
}

// Check validates a request, which is to be sent by whoever may do so. The
// error is a *nla.PolicyError with the errno, the text and the offset that the
// kernel would answer with; the offset counts from the start of the message.
//
// nil does not promise success: the kernel may have rules that it does not tell,
// and the operation its own reasons.
func (k *Checker) Check(m nlmsg.Msg) error {
	m, n := nlmsg.Consume(m) // what is behind its length, such as padding, does not count
	if n < 0 || len(m.Payload()) < k.header {
		return &nla.PolicyError{Errno: nla.EINVAL}
	}
	if !k.exists {
		return errNoOperation
	}
	if k.policy == nil {
		return nil
	}
	return nlmsg.Parse(nil, m, k.header, k.policy, k.mode)
}

// errNoOperation is what genl_family_rcv_msg answers.
var errNoOperation = &nla.PolicyError{Errno: nla.Errno(errnoNotSupported)}

// Mode returns how the kernel validates the operation, and false if it could not
// be found out: the Checker is then as liberal as a kernel can be.
func (k *Checker) Mode() (mode nla.Mode, known bool) { return k.mode, k.known }

// ErrHeaderSize: a family says that its header is larger than any can be.
var ErrHeaderSize = errors.New("ctrl: no family has a header that large")

// maxHeader keeps a Checker from asking for memory: most families have no header, some
// one of 4 bytes.
const maxHeader = 1 << 16

// Checker asks for the policy of an operation, and then for what the kernel does
// not tell of it: how strictly it is applied, and in strict mode the attributes of
// the top level that were left out. It does so by requests that end with an
// attribute that is refused in any mode, so that none gets as far as the
// operation. Who may not use the operation finds out less.
//
// A family with a header of more than 64 KiB is [ErrHeaderSize]: what the controller
// tells may come from anybody.
func (c *Client) Checker(ctx context.Context, f *Family, cmd uint8, isDump bool) (*Checker, error) {
	if f.HdrSize > maxHeader {
		return nil, fmt.Errorf("%w: %q says %d bytes", ErrHeaderSize, f.Name, f.HdrSize)
	}
	k := &Checker{header: genlmsg.HeaderLen + nlmsg.Align(int(f.HdrSize))}
	op, _ := f.Op(cmd)
	wanted := genlmsg.OpDo
	if isDump {
		wanted = genlmsg.OpDump
	}
	if k.exists = op.Flags&wanted != 0; !k.exists || op.Flags&genlmsg.OpPolicy == 0 {
		return k, nil
	}
	told, err := c.OpPolicy(ctx, f.ID, cmd)
	if err != nil {
		return nil, err
	}
	p := told.Do
	if isDump {
		p = told.Dump
	}
	if p == nil {
		return k, nil
	}
	probe := prober{client: c, family: f, cmd: cmd, isDump: isDump, refused: appendRefused(nil, p)}
	if err := probe.find(ctx, k, p); err != nil {
		return nil, err
	}
	if k.policy != nil {
		k.policy.Compile()
	}
	return k, nil
}

// Check validates a request by the policy that the kernel tells of its operation:
// see [Checker.Check] for what the error says, [Client.Checker] for what is asked.
// It takes a few requests; keep a Checker to validate more than one.
func (c *Client) Check(ctx context.Context, m nlmsg.Msg) error {
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		return &nla.PolicyError{Errno: nla.EINVAL}
	}
	f, err := c.FamilyByID(ctx, uint16(m.Type()))
	if err != nil {
		return err
	}
	k, err := c.Checker(ctx, &f, h.Cmd(), m.Flags()&nlmsg.Dump == nlmsg.Dump)
	if err != nil {
		return err
	}
	return k.Check(m)
}
