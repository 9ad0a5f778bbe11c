package netlink

import (
	"os"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// flags lists the options in the order of ConnOption.
var flags = [...]socket.Flag{
	PacketInfo:          socket.PacketInfo,
	BroadcastError:      socket.BroadcastError,
	NoENOBUFS:           socket.NoENOBUFS,
	ListenAllNSID:       socket.ListenAllNSID,
	CapAcknowledge:      socket.CapAck,
	ExtendedAcknowledge: socket.ExtAck,
	GetStrictCheck:      socket.StrictCheck,
}

// set calls f unless the socket is closed.
func (k *conn) set(call string, f func() error) error {
	if err := k.mayCall(call); err != nil {
		return err
	}
	return systemError(call, f())
}

func (k *conn) SetOption(option ConnOption, enable bool) error {
	if option < 0 || int(option) >= len(flags) {
		return os.NewSyscallError("setsockopt", unix.ENOPROTOOPT)
	}
	return k.set("setsockopt", func() error { return k.s.SetFlag(flags[option], enable) })
}

func (k *conn) JoinGroup(group uint32) error {
	return k.set("setsockopt", func() error { return k.s.Join(group) })
}

func (k *conn) LeaveGroup(group uint32) error {
	return k.set("setsockopt", func() error { return k.s.Leave(group) })
}

// SetBPF attaches a BPF program. An empty program is an error, as in the kernel.
func (k *conn) SetBPF(filter []bpf.RawInstruction) error {
	if len(filter) == 0 {
		return os.NewSyscallError("setsockopt", unix.EINVAL)
	}
	program := make([]socket.Instruction, len(filter))
	for i, f := range filter {
		program[i] = socket.Instruction{Op: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	return k.set("setsockopt", func() error { return k.s.AttachFilter(program) })
}

func (k *conn) RemoveBPF() error { return k.set("setsockopt", k.s.DetachFilter) }

func (k *conn) SetReadBuffer(bytes int) error {
	return k.set("setsockopt", func() error { return k.s.SetReceiveBuffer(bytes) })
}

func (k *conn) SetWriteBuffer(bytes int) error {
	return k.set("setsockopt", func() error { return k.s.SetSendBuffer(bytes) })
}

func (k *conn) ReadBuffer() (n int, err error) {
	err = k.set("getsockopt", func() (err error) { n, err = k.s.ReceiveBuffer(); return err })
	return n, err
}

func (k *conn) WriteBuffer() (n int, err error) {
	err = k.set("getsockopt", func() (err error) { n, err = k.s.SendBuffer(); return err })
	return n, err
}

func (k *conn) SetDeadline(t time.Time) error {
	k.hasDeadline.Store(!t.IsZero())
	return systemError("", k.s.SetDeadline(t))
}

func (k *conn) SetReadDeadline(t time.Time) error {
	k.hasDeadline.Store(!t.IsZero())
	return systemError("", k.s.SetReadDeadline(t))
}

func (k *conn) SetWriteDeadline(t time.Time) error {
	return systemError("", k.s.SetWriteDeadline(t))
}

func (k *conn) SyscallConn() (raw syscall.RawConn, err error) {
	err = k.set("syscallconn", func() (err error) { raw, err = k.s.SyscallConn(); return err })
	return raw, err
}
