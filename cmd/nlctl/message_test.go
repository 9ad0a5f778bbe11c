package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// request makes a message with a header and attributes.
func request(typ nlmsg.Type, flags nlmsg.Flags, header, attrs []byte) []byte {
	b := nlmsg.Begin(nil, typ, flags, 7, 9)
	return nlmsg.End(append(append(b, header...), attrs...), 0)
}

// ack makes the answer to a request, with all fields of the extended ACK.
func ack(e errno.Errno) []byte {
	req := request(0x20, nlmsg.FlagRequest, []byte{1, 2, 3, 4}, nla.AppendUint32(nil, 1, 5))
	return nlmsg.AppendAck(nil, &nlmsg.ExtAck{
		Errno: e, Request: req, Msg: []byte("no \"é\"\n"), Cookie: []byte{1, 2}, Offset: 20, MissType: 3, MissNest: 24,
		Policy: nla.AppendUint32(nil, 1, 1), // NL_POLICY_TYPE_ATTR_TYPE: NL_ATTR_TYPE_FLAG
	}, nlmsg.AckOptions{PortID: 9, Ext: true})
}

// The output for each kind of message.
func TestDecodeMessages(t *testing.T) {
	needLittleEndian(t)
	family := func(name string, id uint16, header uint32) []byte {
		b := nla.AppendUint16(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, name), genlmsg.CtrlAttrFamilyID, id)
		b = nla.AppendUint32(b, genlmsg.CtrlAttrHdrSize, header)
		return request(genlmsg.IDCtrl, 0, genlmsg.Append(nil, genlmsg.CtrlCmdNewFamily, 2), b)
	}
	one := nla.AppendCString(nil, 1, "hi")
	for _, test := range []struct {
		name     string
		protocol socket.Protocol
		b        []byte
		want     string
	}{
		{"a family, and a message with its header", socket.Generic,
			append(family("ovs \x1b", 33, 4), request(33, nlmsg.FlagRequest|nlmsg.FlagDump, append(genlmsg.Append(nil, 2, 1), 0xff, 0, 0, 0), one)...),
			`1  generic, 80 bytes
  nlctrl getfamily  0  seq 7  port 9  48 bytes
    command 1, version 2
      family-name  "ovs \x1b"
      family-id  33
      hdrsize  4
  "ovs \x1b"  request|dump  seq 7  port 9  32 bytes
    command 2, version 1
      header ff000000
      1  bytes  686900  "hi"
`},
		{"a family with an implausible header size", socket.Generic,
			append(family("bad", 34, 1<<31), request(34, nlmsg.FlagRequest|nlmsg.FlagRoot, genlmsg.Append(nil, 2, 1), one)...),
			`1  generic, 72 bytes
  nlctrl getfamily  0  seq 7  port 9  44 bytes
    command 1, version 2
      family-name  "bad"
      family-id  34
      hdrsize  2147483648
  0x22  request|root/replace  seq 7  port 9  28 bytes
    command 2, version 1
      1  bytes  686900  "hi"
`},
		{"no Generic Netlink header", socket.Generic, request(35, 0, []byte{1}, nil), `1  generic, 20 bytes
  0x23  0  seq 7  port 9  17 bytes
    message has no Generic Netlink header
    01
`},
		{"error", socket.Generic, ack(2), `1  generic, 108 bytes
  error  ack-tlvs  seq 7  port 9  108 bytes
    errno 2: no such file or directory
    "no \"é\"\n"
    of 0x20
    invalid attribute 1 at offset 20 of the request
    policy: flag
    attribute 3 is missing
    in the nest at offset 24 of the request
    cookie 0102
    request: 1c000000200001000700000009000000010203040800010005000000
`},
		{"done", socket.Route, request(nlmsg.TypeDone, nlmsg.FlagMulti, []byte{0, 0, 0, 0}, nil), `1  route, 20 bytes
  done  multi  seq 7  port 9  20 bytes
    success
`},
		{"error cut short", socket.Route, request(nlmsg.TypeError, 0, []byte{0xff, 0xff}, nil), `1  route, 20 bytes
  error  0  seq 7  port 9  18 bytes
    nlmsg: message cut short at offset 18
    ffff
`},
		{"noop", socket.Route, request(nlmsg.TypeNoop, 0, []byte{1, 2, 3, 4}, nil), `1  route, 20 bytes
  noop  0  seq 7  port 9  20 bytes
    01020304
`},
		{"rtnetlink", socket.Route, append(request(26, nlmsg.FlagRequest|nlmsg.FlagDump, []byte{2}, nil), request(24, nlmsg.FlagExcl|nlmsg.FlagCreate, make([]byte, 12), one)...), `1  route, 56 bytes
  getroute  request|dump  seq 7  port 9  17 bytes
    rtm-family  2
  newroute  excl|create  seq 7  port 9  36 bytes  reply to 1
    rtm-family  0
    rtm-dst-len  0
    rtm-src-len  0
    rtm-tos  0
    rtm-table  0
    rtm-protocol  0
    rtm-scope  0
    rtm-type  unspec
    rtm-flags  0
    dst  686900  "hi"
`},
		{"rtnetlink, no such type", socket.Route, request(1000, nlmsg.FlagRequest, []byte{1, 2}, nil), `1  route, 20 bytes
  0x3e8  request  seq 7  port 9  18 bytes
    0102
`},
		{"netfilter", socket.Netfilter, request(0xa00, nlmsg.FlagRequest, []byte{1, 2, 3, 4}, one), `1  netfilter, 28 bytes
  newtable  request  seq 7  port 9  28 bytes
    nfgen-family  1
    version  2
    res-id  772
    name  "hi"
`},
		{"an unknown protocol", 77, request(0x20, 0xf000, []byte{1, 2}, nil), `1  protocol 77, 20 bytes
  0x20  0xf000  seq 7  port 9  18 bytes
    0102
`},
		{"uevent", socket.KObjectUevent, []byte("add@/x\x00A=1\x00"), `1  kobject_uevent, 11 bytes
    add@/x
    A=1
`},
		{"a binary uevent", socket.KObjectUevent, []byte("libudev\x00\xfe\xed"), `1  kobject_uevent, 10 bytes
    6c69627564657600feed
`},
		{"flags of attributes", socket.Netfilter, request(0x500, 0, make([]byte, 4),
			slices.Concat(nla.AppendBE32(nil, 1|nla.NetByteOrder, 5), nla.AppendBytes(nil, 2|nla.Nested, []byte{1}), nla.AppendBytes(nil, 3|nla.Nested|nla.NetByteOrder, nla.AppendFlag(nil, 4)))), `1  netfilter, 44 bytes
  0x500  0  seq 7  port 9  44 bytes
    header 00000000
    1  net-byteorder bytes  00000005
    2  nested bytes  01
    3  net-byteorder nested
      4  bytes
`},
		{"an attribute that is too long", socket.Route, request(24, 0, make([]byte, 12), []byte{9, 0, 1, 0, 1, 2, 3, 4}), `1  route, 36 bytes
  newroute  0  seq 7  port 9  36 bytes
    rtm-family  0
    rtm-dst-len  0
    rtm-src-len  0
    rtm-tos  0
    rtm-table  0
    rtm-protocol  0
    rtm-scope  0
    rtm-type  unspec
    rtm-flags  0
    at offset 28 of the message: nla: attribute length past the end of the input
    0900010001020304
`},
		{"a message that is too long", socket.Route, append(request(nlmsg.TypeNoop, 0, nil, nil), 0xff, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), `1  route, 32 bytes
  noop  0  seq 7  port 9  16 bytes
  noop  0  seq 0  port 0  16 bytes
  at offset 16 of the datagram: nlmsg: message length past the end of the input
    ffff0000010000000000000000000000
`},
		{"data of the connector", socket.Connector, request(nlmsg.TypeDone, 0, []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 5, 0, 0xaa, 0xbb}, nil), `1  connector, 40 bytes
  connector  0  seq 7  port 9  38 bytes
    idx 1  val 2  seq 3  ack 4  flags 5
    aabb
`},
		{"data that is shorter than the connector's header", socket.Connector, request(nlmsg.TypeDone, 0, []byte{0, 0, 0, 0, 1, 0, 0, 0}, nil), `1  connector, 24 bytes
  connector  0  seq 7  port 9  24 bytes
    message is shorter than struct cn_msg
    0000000001000000
`},
		{"error without a request", socket.Route, request(nlmsg.TypeError, 0, []byte{0xfe, 0xff, 0xff, 0xff, 1, 2}, nil), `1  route, 24 bytes
  error  0  seq 7  port 9  22 bytes
    errno 2: no such file or directory
    nlmsg: message cut short at offset 22
    0102
`},
		{"more after a padded request", socket.Route, request(nlmsg.TypeError, 0, append([]byte{0xfe, 0xff, 0xff, 0xff}, request(24, 0, []byte{0xaa}, nil)...), []byte{1}), `1  route, 44 bytes
  error  0  seq 7  port 9  41 bytes
    errno 2: no such file or directory
    of newroute
    request: 11000000180000000700000009000000aa
    01
`},
		{"done with a number", socket.Route, request(nlmsg.TypeDone, 0, []byte{5, 0, 0, 0, 1}, nil), `1  route, 24 bytes
  done  0  seq 7  port 9  21 bytes
    0500000001
`},
		{"done with more", socket.Route, request(nlmsg.TypeDone, 0, []byte{0xfe, 0xff, 0xff, 0xff, 1}, nil), `1  route, 24 bytes
  done  0  seq 7  port 9  21 bytes
    errno 2: no such file or directory
    01
`},
		{"error with more", socket.Route, request(nlmsg.TypeError, nlmsg.FlagCapped, append(make([]byte, 4), request(24, 0, nil, nil)...), []byte{1, 2}), `1  route, 40 bytes
  error  capped  seq 7  port 9  38 bytes
    success
    of newroute
    request: 10000000180000000700000009000000
    0102
`},
		{"an errno that is none", socket.Route, request(nlmsg.TypeError, nlmsg.FlagCapped, append([]byte{0, 0, 0, 0x80}, request(24, 0, nil, nil)...), nil), `1  route, 36 bytes
  error  capped  seq 7  port 9  36 bytes
    errno 2147483648
    of newroute
    request: 10000000180000000700000009000000
`},
		{"a malformed policy", socket.Route, request(nlmsg.TypeError, nlmsg.FlagCapped|nlmsg.FlagAckTLVs,
			append([]byte{0xea, 0xff, 0xff, 0xff}, request(24, 0, nil, nil)...), nla.AppendBytes(nil, nlmsg.AttrPolicy, []byte{3, 0, 1, 0})), `1  route, 44 bytes
  error  capped|ack-tlvs  seq 7  port 9  44 bytes
    errno 22: invalid argument
    of newroute
    policy: malformed: 03000100
    request: 10000000180000000700000009000000
`},
		{"options before the attributes", socket.Route, request(68, 0, append([]byte{10, 0, 8, 0}, make([]byte, 20)...), one), `1  route, 48 bytes
  newnduseropt  0  seq 7  port 9  48 bytes
    header 0a0008000000000000000000000000000000000000000000
    1  bytes  686900  "hi"
`},
		{"delete", socket.Route, request(25, nlmsg.FlagRequest|nlmsg.FlagBulk, make([]byte, 12), nil), `1  route, 28 bytes
  delroute  request|bulk  seq 7  port 9  28 bytes
    rtm-family  0
    rtm-dst-len  0
    rtm-src-len  0
    rtm-tos  0
    rtm-table  0
    rtm-protocol  0
    rtm-scope  0
    rtm-type  unspec
    rtm-flags  0
`},
		{"both bits of a dump, in a reply", socket.Generic, request(17, nlmsg.FlagDump, genlmsg.Append(nil, 1, 2), nil), `1  generic, 20 bytes
  VFS_DQUOT  root/replace|match/excl  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"a family with a fixed id", socket.Generic, request(genlmsg.IDPMCRAID, 0, genlmsg.Append(nil, 1, 2), nil), `1  generic, 20 bytes
  pmcraid  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"the longest header that is accepted", socket.Generic, append(family("long", 38, maxHeader), request(38, 0, genlmsg.Append(nil, 1, 2), make([]byte, maxHeader))...), `1  generic, 324 bytes
  nlctrl getfamily  0  seq 7  port 9  48 bytes
    command 1, version 2
      family-name  "long"
      family-id  38
      hdrsize  256
  long  0  seq 7  port 9  276 bytes
    command 1, version 2
      header ` + strings.Repeat("00", maxHeader) + `
`},
		{"a name longer than any kernel's", socket.Generic, append(family("0123456789012345", 36, 0), request(36, 0, genlmsg.Append(nil, 1, 2), nil)...), `1  generic, 80 bytes
  nlctrl getfamily  0  seq 7  port 9  60 bytes
    command 1, version 2
      family-name  "0123456789012345"
      family-id  36
      hdrsize  0
  0x24  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"a family in a request to the controller is not stored", socket.Generic,
			append(request(16, 0, genlmsg.Append(nil, genlmsg.CtrlCmdDelFamily, 2), nla.AppendUint16(nla.AppendCString(nil, 2, "gone"), 1, 37)), request(37, 0, genlmsg.Append(nil, 1, 2), nil)...), `1  generic, 60 bytes
  nlctrl delfamily  0  seq 7  port 9  40 bytes
    command 2, version 2
      family-name  "gone"
      family-id  37
  0x25  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"the policies of operations", socket.Generic, request(16, 0, genlmsg.Append(nil, genlmsg.CtrlCmdGetPolicy, 2),
			nla.AppendUint32(append([]byte{16, 0, 9, 0, 12, 0, 3, 0}, nla.AppendUint32(nil, genlmsg.CtrlAttrPolicyDump, 5)...), genlmsg.CtrlAttrOp, 3)), `1  generic, 44 bytes
  nlctrl getpolicy  0  seq 7  port 9  44 bytes
    command 10, version 2
      op-policy
        op-id  3
        dump  5
      op  3
`},
		{"rest", socket.Route, append(request(nlmsg.TypeNoop, 0, nil, nil), 1, 2), `1  route, 18 bytes
  noop  0  seq 7  port 9  16 bytes
  at offset 16 of the datagram: nlmsg: message cut short
    0102
`},
	} {
		got, err := decodedText(test.b, test.protocol)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		isBad := slices.ContainsFunc([]string{"nla:", "nlmsg:", "has no Generic Netlink header", "shorter than struct cn_msg"}, func(problem string) bool {
			return strings.Contains(test.want, problem)
		})
		if isBad != (err != nil) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
