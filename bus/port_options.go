package bus

import (
	"errors"
	"fmt"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/socket"
)

// Caps are the capabilities of a port, like those of a process that opens a socket.
type Caps uint8

const (
	// CapNetAdmin is CAP_NET_ADMIN in the initial user namespace; genlmsg.OpAdmin requires
	// it.
	CapNetAdmin Caps = 1 << iota
	// CapNetAdminNS is CAP_NET_ADMIN in the user namespace of the port's network
	// namespace; genlmsg.OpUnsAdmin, GroupNetAdmin and Port.SendTo require it.
	CapNetAdminNS
	// CapSysAdminNS is CAP_SYS_ADMIN in the same user namespace; GroupSysAdmin requires it.
	CapSysAdminNS

	// Root has all capabilities.
	Root = CapNetAdmin | CapNetAdminNS | CapSysAdminNS
)

// PortOption sets an option of a port for [Bus.Open].
type PortOption func(*Port)

// WithPortID sets the ID of the port. Open fails with EADDRINUSE if another port of the
// namespace has this ID. 0 selects an unused ID.
func WithPortID(id uint32) PortOption { return func(p *Port) { p.id = id } }

// WithNetNS puts the port into a network namespace. The default is 0, the initial
// namespace; the others need not be created. Only families with NetNSOK exist in namespaces
// other than 0.
func WithNetNS(n int) PortOption { return func(p *Port) { p.netNS = n } }

// WithCaps sets the capabilities of the port; the default is [Root].
func WithCaps(c Caps) PortOption { return func(p *Port) { p.caps = c } }

// WithFlags turns boolean options on, as [Port.SetFlag] does. Open returns the error of
// SetFlag.
func WithFlags(flags ...socket.Flag) PortOption {
	return func(p *Port) {
		for _, f := range flags {
			p.bad = errors.Join(p.bad, p.SetFlag(f, true))
		}
	}
}

// WithPortFaults injects faults on this port instead of those of [WithFaults]. nil injects
// none.
func WithPortFaults(f Faults) PortOption { return func(p *Port) { p.faults = f } }

// ReceiveBuffer returns the size of the receive buffer in bytes, as the kernel counts them:
// 212,992 until SetReceiveBuffer is called.
func (p *Port) ReceiveBuffer() (bytes int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return 0, err
	}
	return p.rcvbuf, nil
}

// SetReceiveBuffer sets the size of the receive buffer to twice the given number of bytes,
// as the kernel does (SO_RCVBUFFORCE). The minimum is 2,304. A queued datagram uses 832
// bytes or more, according to a model of the kernel's allocations. The first datagram of an
// empty queue always fits.
func (p *Port) SetReceiveBuffer(bytes int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return err
	}
	p.rcvbuf = max(2*min(bytes, mostBuffer), leastBuffer)
	return nil
}

// SendBuffer returns the size of the send buffer in bytes, as the kernel counts them:
// 212,992 until SetSendBuffer is called.
func (p *Port) SendBuffer() (bytes int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return 0, err
	}
	return p.sndbuf, nil
}

// SetSendBuffer sets the size of the send buffer to twice the given number of bytes, as the
// kernel does (SO_SNDBUFFORCE). The minimum is 4,608. A datagram must be at least 32 bytes
// shorter than the buffer, otherwise Send fails with EMSGSIZE (netlink_sendmsg). The buffer
// never contains a datagram, because requests are handled within Send.
func (p *Port) SetSendBuffer(bytes int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return err
	}
	p.sndbuf = max(2*min(bytes, mostBuffer), leastSendBuffer)
	return nil
}

// Drops returns the number of datagrams that were dropped because the port's queue was
// full.
func (p *Port) Drops() (datagrams uint32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return 0, err
	}
	return p.drops, nil
}

// SetFlag turns an option on or off: ExtAck, CapAck, StrictCheck, NoENOBUFS, PacketInfo,
// BroadcastError, ListenAllNSID. For any other flag the error is ENOPROTOOPT.
func (p *Port) SetFlag(f socket.Flag, on bool) error {
	if err := p.isOpen(); err != nil {
		return err
	}
	switch f {
	case socket.ExtAck, socket.CapAck, socket.StrictCheck, socket.NoENOBUFS, socket.PacketInfo, socket.BroadcastError, socket.ListenAllNSID:
	default:
		return fmt.Errorf("bus: set %v: %w", f, errno.ENOPROTOOPT)
	}
	if on {
		p.flags.Or(1 << f)
	} else {
		p.flags.And(^uint32(1 << f))
	}
	if f == socket.NoENOBUFS && on {
		p.mu.Lock()
		p.congested = false
		p.mu.Unlock()
	}
	return nil
}

// Flag reports whether an option is on.
func (p *Port) Flag(f socket.Flag) (on bool, err error) {
	if err := p.isOpen(); err != nil {
		return false, err
	}
	return p.has(f), nil
}

func (p *Port) has(f socket.Flag) bool { return p.flags.Load()&(1<<f) != 0 }
