package nl

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/nlwire/nlwire/nlmsg"
	"golang.org/x/sys/unix"
)

// PidKernel is the port ID of the kernel.
const PidKernel uint32 = 0

// SocketTimeoutTv is the timeout for each direction of the sockets that Execute opens.
var SocketTimeoutTv = unix.Timeval{Sec: 60, Usec: 0}

// EnableErrorMessageReporting makes Execute request the kernel's error texts on the sockets
// that it opens.
var EnableErrorMessageReporting bool = false

// Execute sends the request on a socket of protocol sockType and returns the payloads of
// the reply. If resType is not 0, it returns only those of messages of that type. The
// caller owns the memory. With [ErrDumpInterrupted] the payloads are returned, too.
func (req *NetlinkRequest) Execute(sockType int, resType uint16) ([][]byte, error) {
	x := exchange{resType: resType}
	err := x.execute(req, sockType)
	if err != nil && !errors.Is(err, ErrDumpInterrupted) {
		return nil, err
	}
	return x.payloads, err
}

// ExecuteIter works as Execute, but calls f with each payload, which f may keep. After f
// has returned false, it is not called again; the rest of the reply is still received.
//
// If the socket is one of req.Sockets, it is locked during the call: f must not use it.
func (req *NetlinkRequest) ExecuteIter(sockType int, resType uint16, f func(msg []byte) bool) error {
	x := exchange{resType: resType, f: f}
	return x.execute(req, sockType)
}

// dial opens a socket for one exchange.
func dial(protocol int) (*NetlinkSocket, error) {
	s, err := getNetlinkSocket(protocol)
	if err != nil {
		return nil, err
	}
	if err = errors.Join(s.SetSendTimeout(&SocketTimeoutTv), s.SetReceiveTimeout(&SocketTimeoutTv)); err == nil && EnableErrorMessageReporting {
		err = s.SetExtAck(true)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// An exchange is a request and its reply.
type exchange struct {
	sock     *NetlinkSocket
	isShared bool // other requests have used the socket
	seq      uint32
	portID   uint32
	resType  uint16

	f             func(msg []byte) bool // nil: payloads are collected
	payloads      [][]byte
	isEnough      bool // f has returned false
	isInterrupted bool
}

// execute runs the exchange on the socket for a protocol, or on a new one.
func (x *exchange) execute(req *NetlinkRequest, protocol int) (err error) {
	if sh := req.Sockets[protocol]; sh != nil && sh.Socket != nil {
		req.Seq = atomic.AddUint32(&sh.Seq, 1)
		x.sock, x.isShared = sh.Socket, true
		x.sock.Lock()
		defer x.sock.Unlock()
		return x.run(req)
	}
	if x.sock, err = dial(protocol); err != nil {
		return err
	}
	defer x.sock.Close()
	return x.run(req)
}

// run sends the request and receives until the reply is complete.
func (x *exchange) run(req *NetlinkRequest) (err error) {
	if x.portID, err = x.sock.GetPid(); err != nil {
		return err
	}
	x.seq = req.Seq
	if err := x.sock.Send(req); err != nil {
		return err
	}
	buf := receiveBuffers.Get().(*[RECEIVE_BUFFER_SIZE]byte)
	defer receiveBuffers.Put(buf)
	for isOver := false; !isOver; {
		b, info, err := x.sock.receive(buf)
		if err != nil {
			return err
		}
		if info.PortID != PidKernel {
			return fmt.Errorf("netlink: datagram from port %d, want one from the kernel (port %d)", info.PortID, PidKernel)
		}
		if isOver, err = x.datagram(b); err != nil {
			return err
		}
	}
	if x.isInterrupted {
		return ErrDumpInterrupted
	}
	return nil
}

// datagram handles the messages of a datagram, and reports whether the reply ends in it.
func (x *exchange) datagram(b []byte) (isOver bool, err error) {
	isCopy := false
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			return badEnd(n)
		}
		isWanted, isLast, err := x.classify(m)
		if err != nil {
			return true, err
		}
		if isWanted && !x.isEnough {
			if !isCopy { // the caller may keep the payloads: one copy for the rest of b
				b, isCopy = bytes.Clone(b), true
			}
			x.pass(b[nlmsg.HeaderLen:len(m)]) // with the capacity of b: see routeAttr
		}
		if isLast {
			return true, nil
		}
		b = b[n:]
	}
	return false, nil
}

// pass passes a payload to the caller.
func (x *exchange) pass(p []byte) {
	if x.f == nil {
		x.payloads = append(x.payloads, p)
		return
	}
	x.isEnough = !x.f(p)
}

// badEnd returns the result for bytes that are not a message: fewer bytes than a header are
// ignored, others are EINVAL.
func badEnd(n int) (isOver bool, err error) {
	if nlmsg.ParseError(n) == nlmsg.ErrTruncated {
		return false, nil
	}
	return true, unix.EINVAL
}

// classify reports whether a message belongs to the result, and whether it ends the reply.
func (x *exchange) classify(m nlmsg.Msg) (isWanted, isLast bool, err error) {
	h := m.Header()
	switch {
	case h.Seq != x.seq && x.isShared: // a reply to an earlier request
		return false, false, nil
	case h.Seq != x.seq:
		return false, true, fmt.Errorf("netlink: reply with sequence number %d, want %d", h.Seq, x.seq)
	case h.PortID != x.portID:
		return false, false, nil
	}
	x.isInterrupted = x.isInterrupted || h.Flags&nlmsg.FlagDumpIntr != 0
	switch {
	case h.Type == nlmsg.TypeDone || h.Type == nlmsg.TypeError:
		return false, true, verdict(m)
	case x.resType != 0 && uint16(h.Type) != x.resType:
		return false, false, nil
	}
	return true, h.Flags&nlmsg.FlagMulti == 0, nil
}
