package differential

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// forgery is a datagram that the library receives instead of the controller's answer, because it does
// not check the sender. Forgeries test answers that no controller sends.
type forgery struct {
	name string
	make func(seq, portID uint32) []byte
	want *genetlink.Family // nil: an error
}

// forgedReply returns a function that makes a reply of the controller with the given attributes.
func forgedReply(attrs func(b []byte) []byte) func(seq, portID uint32) []byte {
	return func(seq, portID uint32) []byte {
		b := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, seq, portID)
		b = genlmsg.Append(b, genlmsg.CtrlCmdNewFamily, 2)
		return nlmsg.End(attrs(b), 0)
	}
}

// spoiled returns a function that makes a valid answer and modifies it.
func spoiled(spoil func(b []byte)) func(seq, portID uint32) []byte {
	return func(seq, portID uint32) []byte {
		b := forgedReply(goodFamily)(seq, portID)
		spoil(b)
		return b
	}
}

// forged is the family that goodFamily encodes.
var forged = genetlink.Family{
	ID: 99, Version: 255, Name: "forged",
	Groups: []genetlink.MulticastGroup{{ID: 16, Name: "notify"}, {ID: 17, Name: "another"}},
}

func goodFamily(b []byte) []byte {
	b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, forged.ID)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, forged.Name)
	b = nla.AppendUint32(b, genlmsg.CtrlAttrVersion, uint32(forged.Version))
	groups := len(b)
	b = nla.Begin(b, genlmsg.CtrlAttrMulticastGroups)
	for i, g := range forged.Groups {
		group := len(b)
		b = nla.Begin(b, uint16(i+1))
		b = nla.AppendUint32(b, genlmsg.CtrlAttrMulticastGroupID, g.ID)
		b = nla.AppendCString(b, genlmsg.CtrlAttrMulticastGroupName, g.Name)
		b = nla.End(b, group)
	}
	return nla.End(b, groups)
}

var forgeries = []forgery{
	{name: "a family", make: forgedReply(goodFamily), want: &forged},
	{name: "no attributes", make: forgedReply(func(b []byte) []byte { return b }), want: &genetlink.Family{}},
	{name: "an attribute of a byte, without padding", want: &forged, make: func(seq, portID uint32) []byte {
		b := forgedReply(func(b []byte) []byte { return nla.AppendUint8(goodFamily(b), 200, 1) })(seq, portID)
		binary.NativeEndian.PutUint32(b, uint32(len(b)-3))
		return b[:len(b)-3]
	}},
	{name: "a version of nine bits", make: forgedReply(func(b []byte) []byte {
		return nla.AppendUint32(b, genlmsg.CtrlAttrVersion, 0x1ff)
	})},
	{name: "a version of two bytes", make: forgedReply(func(b []byte) []byte {
		return nla.AppendUint16(b, genlmsg.CtrlAttrVersion, 1)
	})},
	{name: "an id of four bytes", make: forgedReply(func(b []byte) []byte {
		return nla.AppendUint32(b, genlmsg.CtrlAttrFamilyID, 99)
	})},
	{name: "an attribute longer than the message", make: forgedReply(func(b []byte) []byte { return append(b, 200, 200, 2, 0) })},
	{name: "a nest that ends early", make: forgedReply(func(b []byte) []byte {
		return nla.AppendBytes(b, genlmsg.CtrlAttrMulticastGroups, []byte{9, 0, 1, 0, 1, 2})
	})},
	{name: "a reserved byte", make: spoiled(func(b []byte) { b[18] = 1 })},
	{name: "both reserved bytes", make: spoiled(func(b []byte) { b[18], b[19] = 1, 1 })},
	{name: "half a Generic Netlink header", make: func(seq, portID uint32) []byte {
		b := forgedReply(func(b []byte) []byte { return b })(seq, portID)
		binary.NativeEndian.PutUint32(b, 18)
		return b
	}},
	{name: "a length beyond the datagram", make: spoiled(func(b []byte) { binary.NativeEndian.PutUint32(b, 4096) })},
	{name: "another sequence number", make: func(seq, portID uint32) []byte { return forgedReply(goodFamily)(seq+1, portID) }},
	{name: "another port ID", make: func(seq, portID uint32) []byte { return forgedReply(goodFamily)(seq, portID+1) }},
	{name: "an error", make: func(seq, portID uint32) []byte {
		request := forgedReply(goodFamily)(seq, portID)
		return nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.ENOENT, Request: request}, nlmsg.AckOptions{PortID: portID})
	}},
	{name: "an error without errno", make: func(seq, portID uint32) []byte {
		b := nlmsg.Begin(nil, nlmsg.TypeError, 0, seq, portID)
		return nlmsg.End(b, 0)
	}},
}

// TestForgedAnswers covers the invented answers of the library's family tests. Both transports must
// have the same result.
func TestForgedAnswers(t *testing.T) {
	for _, f := range forgeries {
		t.Run(f.name, func(t *testing.T) {
			var errs []string
			onBoth(t, func(t *testing.T, p place) {
				got, err := f.believed(t, p)
				switch {
				case (err == nil) != (f.want != nil):
					t.Errorf("%+v, %v", got, err)
				case err == nil:
					if diff := cmp.Diff(*f.want, got); diff != "" {
						t.Errorf("family (-want +got):\n%s", diff)
					}
				default:
					errs = append(errs, err.Error())
				}
			})
			if len(errs) == 2 && errs[0] != errs[1] {
				t.Errorf("bus: %q, kernel: %q", errs[0], errs[1])
			}
		})
	}
}

// believed requests a family after the forged answer has been queued. The next sequence number is known
// from an earlier request.
func (f forgery) believed(t *testing.T, p place) (genetlink.Family, error) {
	t.Helper()
	c := dial(t, p)
	sent := send(t, c)
	if _, _, err := c.Receive(); err != nil {
		t.Fatal(err)
	}
	p.forge(t, c.nl.PID(), f.make(sent.Header.Sequence+1, c.nl.PID()))
	return c.GetFamily("nlctrl")
}
