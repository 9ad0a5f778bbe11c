//go:build !linux

package socket

import (
	"errors"
	"syscall"
	"time"
)

// sysSocket replaces the Linux part on other systems: open always fails, so that the other
// methods are never called on an open socket. The fields of config count as used.
type sysSocket struct{}

func (*sysSocket) open(protocol Protocol, _ *config) (uint32, error) {
	return 0, newOpError(opSocket, protocol, errors.ErrUnsupported)
}

func hint(_ string, err error) string {
	if errors.Is(err, errors.ErrUnsupported) {
		return "netlink exists on Linux only"
	}
	return ""
}

func (*sysSocket) isZero() bool { return true }

func (*sysSocket) close() error                      { return errors.ErrUnsupported }
func (*sysSocket) setDeadline(time.Time) error       { return errors.ErrUnsupported }
func (*sysSocket) setReadDeadline(time.Time) error   { return errors.ErrUnsupported }
func (*sysSocket) setWriteDeadline(time.Time) error  { return errors.ErrUnsupported }
func (*sysSocket) rawConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }
func (*sysSocket) setFlag(Flag, bool) error          { return errors.ErrUnsupported }
func (*sysSocket) flag(Flag) (bool, error)           { return false, errors.ErrUnsupported }
func (*sysSocket) setMembership(int, uint32) error   { return errors.ErrUnsupported }
func (*sysSocket) memberships() ([]uint32, error)    { return nil, errors.ErrUnsupported }
func (*sysSocket) setReceiveBuffer(int) error        { return errors.ErrUnsupported }
func (*sysSocket) setSendBuffer(int) error           { return errors.ErrUnsupported }
func (*sysSocket) receiveBuffer() (int, error)       { return 0, errors.ErrUnsupported }
func (*sysSocket) sendBuffer() (int, error)          { return 0, errors.ErrUnsupported }
func (*sysSocket) drops() (uint32, error)            { return 0, errors.ErrUnsupported }
func (*sysSocket) attachFilter([]Instruction) error  { return errors.ErrUnsupported }
func (*sysSocket) detachFilter() error               { return errors.ErrUnsupported }
func (*sysSocket) sendOnce([]byte, Addr, bool) error { return errors.ErrUnsupported }
func (*sysSocket) sendOn(error, []byte, Addr, bool) error {
	return errors.ErrUnsupported
}
func (*sysSocket) receive([]byte, bool) (int, Info, error) { return 0, Info{}, errors.ErrUnsupported }
func (*sysSocket) nextSize() (int, error)                  { return 0, errors.ErrUnsupported }
func (*sysSocket) wait() error                             { return errors.ErrUnsupported }
func (*sysSocket) readDeadline() time.Time                 { return time.Time{} }
func (*sysSocket) boundPort() (uint32, error)              { return 0, errors.ErrUnsupported }
func (*sysSocket) sendVec([][]byte) error                  { return errors.ErrUnsupported }
func (*sysSocket) forceReceiveBuffer(int) error            { return errors.ErrUnsupported }
func (*sysSocket) forceSendBuffer(int) error               { return errors.ErrUnsupported }
func (*sysSocket) control(func(fd int) error) error        { return errors.ErrUnsupported }
func (*sysSocket) fromFD(int, *config) (Protocol, uint32, error) {
	return 0, 0, newOpError(opSocket, unknownProtocol, errors.ErrUnsupported)
}
func (*sysSocket) receiveBatch([]Datagram) (int, error) { return 0, errors.ErrUnsupported }

func (s *Socket) sibling(config) (*Socket, error) {
	return nil, s.wrap(opSocket, errors.ErrUnsupported)
}

// TryRoundTrip is [Socket.Send] and [Socket.TryReceive] in one.
func (s *Socket) TryRoundTrip(_, _ []byte) (n int, info Info, sent bool, err error) {
	return 0, info, false, s.wrap(opSendto, errors.ErrUnsupported)
}

// isFull reports whether a send failed because the receive buffer of the peer is full.
func isFull(error) bool { return false }

// probe has the functions that identify a network namespace.
type probe struct{}
