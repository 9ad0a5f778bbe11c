package genlmsg_test

import (
	"fmt"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// A request to the controller for the ID of a family.
func ExampleAppend() {
	b := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.FlagRequest, 1, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, "ethtool")
	b = nlmsg.End(b, 0)

	msg, _ := nlmsg.Consume(b)
	h, n := genlmsg.Consume(msg.Payload())
	fmt.Println(h.Cmd(), h.Version(), n)
	for a := range nla.All(genlmsg.Attrs(msg, 0)) {
		name, err := a.CString()
		fmt.Printf("%d %s %v\n", a.Type(), name, err)
	}
	// Output:
	// 3 2 4
	// 2 ethtool <nil>
}

// Open vSwitch has a user header of 4 bytes, which contains the index of the datapath.
func ExampleUserHeader() {
	b := nlmsg.Begin(nil, 0x20, nlmsg.FlagRequest, 1, 0)
	b = genlmsg.AppendUserHeader(genlmsg.Append(b, 3, 1), []byte{7, 0, 0, 0})
	b = nlmsg.End(nla.AppendUint32(b, 1, 5), 0)

	msg, _ := nlmsg.Consume(b)
	fmt.Println(genlmsg.UserHeader(msg, 4), len(genlmsg.Attrs(msg, 4)))
	// Output: [7 0 0 0] 8
}
