package policy_test

import (
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The attribute types of a device.
const (
	attrIfindex = 1
	attrName    = 2
)

// A policy resembles the kernel's table, and produces the kernel's errors.
func ExampleParse() {
	device := (&policy.Policy{Attrs: []policy.Rule{
		attrIfindex: policy.Min(policy.KindU32, 1),
		attrName:    {Kind: policy.KindNULString, Len: 15},
	}}).Compile()
	tb := nla.NewTable(device.MaxType())

	b := nla.AppendCString(nil, attrName, "eth0")
	err := policy.Parse(tb, b, device, policy.Strict)
	fmt.Printf("%s %v %v\n", tb.Text(attrName), tb.Has(attrIfindex), err)

	b = nla.AppendUint32(b, attrIfindex, 0)
	err = policy.Parse(tb, b, device, policy.Strict)
	fmt.Println(err)
	var refused *policy.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Errno == errno.ERANGE, refused.Msg, refused.Offset)
	}
	// Output:
	// eth0 false <nil>
	// policy: integer out of range: attribute 1 at offset 12 (u32): numerical result out of range
	// true integer out of range 12
}
