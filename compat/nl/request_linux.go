package nl

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"golang.org/x/sys/unix"
)

var nextSeqNr uint32

// A NetlinkRequest is a message to send: its header, the parts in Data, and RawData.
// Attributes are padded, other parts are not.
type NetlinkRequest struct {
	unix.NlMsghdr
	Data    []NetlinkRequestData
	RawData []byte
	// Sockets contains a socket for each protocol. For a protocol without one, each
	// Execute opens a socket in the network namespace of the thread.
	Sockets map[int]*SocketHandle
}

// NewNetlinkRequest makes a request of type proto. flags are added to NLM_F_REQUEST.
func NewNetlinkRequest(proto, flags int) *NetlinkRequest {
	return &NetlinkRequest{NlMsghdr: unix.NlMsghdr{
		Len:   nlmsg.HeaderLen,
		Type:  uint16(proto),
		Flags: unix.NLM_F_REQUEST | uint16(flags),
		Seq:   atomic.AddUint32(&nextSeqNr, 1),
	}}
}

// AddData adds a part.
func (req *NetlinkRequest) AddData(data NetlinkRequestData) { req.Data = append(req.Data, data) }

// AddRawData adds bytes, which are copied, after all parts.
func (req *NetlinkRequest) AddRawData(data []byte) { req.RawData = append(req.RawData, data...) }

// Serialize returns the message, and sets Len.
func (req *NetlinkRequest) Serialize() []byte {
	b, _ := req.appendTo(make([]byte, 0, 256))
	return b
}

// appendTo appends the message, and sets Len. If an attribute is longer than its length
// field can express, appendTo also returns an error.
func (req *NetlinkRequest) appendTo(b []byte) (_ []byte, err error) {
	mark := len(b)
	b = nlmsg.Begin(b, nlmsg.Type(req.Type), nlmsg.Flags(req.Flags), req.Seq, req.Pid)
	for _, d := range req.Data {
		a, ok := d.(*RtAttr)
		if !ok {
			b = append(b, d.Serialize()...)
			continue
		}
		start := len(b)
		b = a.appendTo(b)
		if n := len(b) - start; n > math.MaxUint16 && a.Len() > math.MaxUint16 {
			err = fmt.Errorf("netlink: attribute %d of the request has %d bytes, the limit is %d",
				a.Type&nla.TypeMask, n, math.MaxUint16)
		}
	}
	b = append(b, req.RawData...)
	req.Len = uint32(len(b) - mark)
	binary.NativeEndian.PutUint32(b[mark:], req.Len)
	return b, err
}
