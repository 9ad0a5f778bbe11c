package ynl_test

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// A request to add a VLAN, from JSON, and the tree that its bytes decode to.
func Example() {
	s, err := ynl.Builtin("rt-link")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseJSON([]byte(`{"ifname": "vlan5", "link": 2, "linkinfo": {"kind": "vlan", "data": {"id": 5}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	op := s.Op("newlink")
	b, err := s.AppendRequest(nil, op, v, ynl.RequestHeader{Flags: nlmsg.FlagAck | nlmsg.FlagCreate})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := s.DecodeOp(b, op)
	info := m.Find("linkinfo")
	fmt.Printf("kind %s at offset %d\n", info.Find("kind").Bytes(), info.Find("kind").Offset)
	fmt.Printf("VLAN %d\n", info.Find("data").Find("id").Uint())
	fmt.Printf("%s\n", m.AppendJSON(nil))
	// Output:
	// kind vlan at offset 56
	// VLAN 5
	// {"ifname": "vlan5", "link": 2, "linkinfo": {"kind": "vlan", "data": {"id": 5}}, "ifi-family": 0, "ifi-type": 0, "ifi-index": 0, "ifi-flags": [], "ifi-change": 0}
}

// docSpec describes the family of package docexmpl.
const docSpec = `
name: DOC_EXMPL
attribute-sets:
  - name: attrs
    attributes:
      - {name: msg, type: string}
operations:
  list:
    - name: echo
      attribute-set: attrs
      do:
        request: {attributes: [msg]}
        reply: {attributes: [msg]}
`

// A request and its reply by names. The controller assigns the number of a Generic Netlink
// family; here the family is on a bus. For a kernel, use conn.Open.
func Example_request() {
	b := bus.New()
	defer b.Close()
	if err := b.Register(docexmpl.New()); err != nil {
		fmt.Println(err)
		return
	}
	dial := func() (conn.Transport, error) { return b.Open() }
	port, _ := dial()
	c := conn.New(port, conn.WithDialer(dial))
	defer c.Close()

	ctx := context.Background()
	f, err := ctrl.New(c).Family(ctx, "DOC_EXMPL")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := ynl.Parse("doc.yaml", []byte(docSpec))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseArgs([]string{"msg=hello"})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := s.Op("echo")
	payload, headers, err := s.AppendPayload(nil, op, v, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := c.Request(f.ID, nlmsg.FlagRequest, payload[:headers])
	defer r.Release()
	r.B = append(r.B, payload[headers:]...)
	reply, err := c.Do(ctx, r)
	if err != nil {
		fmt.Println(err)
		return
	}
	m := s.DecodeOp(reply, op)
	fmt.Printf("%s\n", m.AppendJSON(nil))
	// Output: {"msg": "hello"}
}

// Arguments of a command line: nested attributes by dots, lists by indexes.
func ExampleParseArgs() {
	s, err := ynl.Builtin("netdev")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseArgs([]string{"ifindex=3", "queues.0.id=1", "queues.0.type=rx", "queues.1.id=2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := s.Op("bind-rx")
	b, err := s.AppendRequest(nil, op, v, ynl.RequestHeader{Type: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := s.DecodeOp(b, op)
	fmt.Printf("%s\n", m.AppendJSON(nil))
	// Output: {"ifindex": 3, "queues": [{"id": 1, "type": "rx"}, {"id": 2}]}
}

// The error of a value that an attribute cannot have.
func ExampleValueError() {
	s, err := ynl.Builtin("ethtool")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseArgs([]string{"header.dev-index=eth0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.AppendRequest(nil, s.Op("rings-get"), v, ynl.RequestHeader{Type: 20})
	fmt.Println(err)
	// Output: ynl: rings-get: header.dev-index: "eth0" is not a number
}

// The kernel refuses a request and reports the offset of the invalid attribute in the request
// (nlmsg.ExtAck); Explain returns the path of the attribute.
func ExampleSpec_Explain() {
	s, err := ynl.Builtin("ethtool")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseArgs([]string{"header.dev-name=eth0", "rx=1000000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := s.AppendRequest(nil, s.Op("rings-set"), v, ynl.RequestHeader{Type: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := s.Decode(request, ynl.Request)
	refusal := &nlmsg.ExtAck{Offset: uint32(m.Find("rx").Offset)} // from the kernel's reply
	fmt.Println(s.Explain(request, refusal).Invalid)
	// Output: rx
}

// Differences between a request and its spec.
func ExampleSpec_Check() {
	s, err := ynl.Builtin("netdev")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := ynl.ParseArgs([]string{"ifindex=1", "xdp-zc-max-segs=7"})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := s.Op("dev-get")
	request, err := s.AppendRequest(nil, op, v, ynl.RequestHeader{Type: 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range s.Check(request, op) {
		fmt.Println(p)
	}
	// Output: xdp-zc-max-segs: dev-get does not list this attribute
}

// The operations of a family, and the attributes of one.
func ExampleBuiltin() {
	s, err := ynl.Builtin("tcp_metrics")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, op := range s.Ops {
		if !op.IsReserved() {
			fmt.Println(op.Request, op.Name)
		}
	}
	get := s.Op("get")
	for _, name := range get.Do.Request {
		a := get.Set.Attr(name)
		fmt.Println(a.Value, a.Name, a.Type, a.Hint)
	}
	// Output:
	// 1 get
	// 2 del
	// 1 addr-ipv4 u32 ipv4
	// 2 addr-ipv6 binary ipv6
	// 11 saddr-ipv4 u32 ipv4
	// 12 saddr-ipv6 binary ipv6
}

// A spec file. Its errors have positions.
func ExampleLoadFS() {
	files := fstest.MapFS{
		"doc.yaml":    {Data: []byte(docSpec)},
		"broken.yaml": {Data: []byte(strings.Replace(docSpec, "string", "text", 1))},
	}
	s, err := ynl.LoadFS(files, "doc.yaml") // or ynl.Load("doc.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Name, s.Op("echo").Do.Request)
	_, err = ynl.LoadFS(files, "broken.yaml")
	fmt.Println(err)
	// Output:
	// DOC_EXMPL [msg]
	// broken.yaml:6:27: attribute "msg": unknown type "text"
}

// Messages that the kernel sent, such as the replies of a dump. The Decoder reuses the memory of the
// fields.
func ExampleDecoder() {
	s, err := ynl.Builtin("rt-addr")
	if err != nil {
		fmt.Println(err)
		return
	}
	var received []nlmsg.Msg // for example from conn.Conn.Dump
	for i, label := range []string{"lo", "eth0"} {
		m := nlmsg.Begin(nil, 20, 0, 0, 0)                   // RTM_NEWADDR
		m = append(m, 2, 8, 0, 0, byte(i+1), 0, 0, 0)        // struct ifaddrmsg
		m = nla.AppendBytes(m, 2, []byte{10, 0, 0, byte(i)}) // IFA_LOCAL
		received = append(received, nlmsg.End(nla.AppendCString(m, 3, label), 0))
	}
	var d ynl.Decoder
	for _, m := range received {
		d.Reset() // ends the use of the previous message
		a := d.Decode(s, m, ynl.Reply)
		fmt.Printf("%s %s %s\n", a.Op.Name, a.Find("label").Bytes(), a.Find("local").AppendJSON(nil))
	}
	// Output:
	// getaddr lo "10.0.0.0"
	// getaddr eth0 "10.0.0.1"
}

// A library finds families by name. Paths of specs take precedence over the built-in families.
func ExampleNewLibrary() {
	lib, err := ynl.NewLibrary() // for example "/usr/share/ynl/specs"
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := lib.Family("nlctrl")
	if err != nil {
		fmt.Println(err)
		return
	}
	op := s.OpByRequest(genlmsg.CtrlCmdGetFamily)
	fmt.Println(op.Name, op.Do.Request)
	// Output: getfamily [family-name]
}

// The form of the built-in tables.
func ExampleAppendTable() {
	s, err := ynl.Parse("doc.yaml", []byte(docSpec))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", ynl.AppendTable(nil, s))
	// Output:
	// family DOC_EXMPL level=genetlink
	// set attrs
	//  a msg string
	// op echo request=1 reply=1 set=attrs
	//  do-request msg
	//  do-reply msg
}
