package ctrl

import "github.com/nlwire/nlwire/nlmsg"

// PolicyCollector joins the replies of a policy dump that the caller received by other
// means than a Client, for example from a capture. It retains no message.
type PolicyCollector struct {
	decoder *policyDecoder
	failed  bool
}

// NewPolicyCollector returns a collector for the dump of the family with that ID.
func NewPolicyCollector(id nlmsg.Type) *PolicyCollector {
	return &PolicyCollector{decoder: newPolicyDecoder(id)}
}

// Add adds a reply of the dump. It returns ErrNotPolicy for any other message. After an
// error the collector is incomplete, and Policies returns nil.
func (c *PolicyCollector) Add(m nlmsg.Msg) error {
	err := c.decoder.add(m)
	c.failed = c.failed || err != nil
	return err
}

// Policies returns the policies so far, nil after an error. The family assigns operations
// to policies that kernels export without them. It may be nil.
func (c *PolicyCollector) Policies(f *Family) *Policies {
	if c.failed {
		return nil
	}
	p := *c.decoder.policies
	p.Ops = append([]OpPolicy(nil), p.Ops...)
	if len(p.Ops) == 0 {
		p.Common = c.decoder.tables[0]
	}
	if f != nil {
		p.name(f)
	}
	return &p
}
