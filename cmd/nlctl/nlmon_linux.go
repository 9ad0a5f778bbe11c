package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// monitorDevice is an nlmon device, to which the kernel sends a copy of each datagram, and
// a packet socket that receives from it.
type monitorDevice struct {
	conn  *conn.Conn
	index uint32
	isOwn bool // the device was made for this capture
	file  *os.File
}

// The numbers of linux/rtnetlink.h, if_link.h and if.h that make a device.
const (
	typeNewLink  = 16 // RTM_NEWLINK
	typeDelLink  = 17 // RTM_DELLINK
	attrIfName   = 3  // IFLA_IFNAME
	attrLinkInfo = 18 // IFLA_LINKINFO
	attrInfoKind = 1  // IFLA_INFO_KIND
	flagUp       = 1  // IFF_UP
)

// openMonitor opens the nlmon device with that name, or a new one if the name is "".
func openMonitor(ctx context.Context, name string) (d *monitorDevice, err error) {
	d = &monitorDevice{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.conn, err = conn.Open(socket.Route); err != nil {
		return d, err
	}
	if name == "" {
		name = fmt.Sprintf("nlctl%d", os.Getpid())
		if err = d.make(ctx, name); err != nil {
			return d, err
		}
		d.isOwn = true
	}
	if d.index, err = indexOf(name); err != nil {
		return d, err
	}
	if d.isOwn {
		if err = d.up(ctx); err != nil {
			return d, err
		}
	}
	return d, d.listen()
}

// indexOf returns the index of an nlmon device.
func indexOf(name string) (uint32, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("capture: %w", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	}
	if err != nil {
		return 0, fmt.Errorf("capture: no device %q", name)
	}
	index := request.Uint32()
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, request); err != nil || request.Uint16() != arpNetlink {
		return 0, fmt.Errorf("capture: %q is not an nlmon device", name)
	}
	return index, nil
}

// link makes a request about the device.
func (d *monitorDevice) link(typ nlmsg.Type, flags nlmsg.Flags, linkFlags uint32, what string) *conn.Request {
	header := make([]byte, linkHeader)
	binary.NativeEndian.PutUint32(header[4:], d.index)
	binary.NativeEndian.PutUint32(header[8:], linkFlags)
	binary.NativeEndian.PutUint32(header[12:], linkFlags)
	r := d.conn.Request(typ, nlmsg.FlagRequest|nlmsg.FlagAck|flags, header)
	r.Op = "capture: " + what
	return r
}

// make makes the device.
func (d *monitorDevice) make(ctx context.Context, name string) error {
	r := d.link(typeNewLink, nlmsg.FlagCreate|nlmsg.FlagExcl, 0, "make an nlmon device")
	defer r.Release()
	r.B = nla.AppendCString(r.B, attrIfName, name)
	mark := len(r.B)
	r.B = nla.AppendCString(nla.Begin(r.B, attrLinkInfo), attrInfoKind, "nlmon")
	r.B = nla.End(r.B, mark)
	_, err := d.conn.Do(ctx, r)
	switch {
	case errno.Is(err, errno.EOPNOTSUPP):
		return errors.New("capture: the kernel has no nlmon devices (CONFIG_NLMON, module nlmon); nlctl monitor receives notifications without them")
	case errno.Is(err, errno.EPERM):
		return errors.New("capture: CAP_NET_ADMIN is required to make an nlmon device")
	}
	return err
}

func (d *monitorDevice) up(ctx context.Context) error {
	r := d.link(typeNewLink, 0, flagUp, "set the nlmon device up")
	defer r.Release()
	_, err := d.conn.Do(ctx, r)
	return err
}

// listen opens the packet socket.
func (d *monitorDevice) listen() error {
	all := bigEndian16(unix.ETH_P_ALL)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(all))
	if err != nil {
		return fmt.Errorf("capture: packet socket: %w", err)
	}
	d.file = os.NewFile(uintptr(fd), "packet socket")
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer) // otherwise the system's limit applies
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(d.index)}); err != nil {
		return fmt.Errorf("capture: bind the packet socket to the device: %w", err)
	}
	return nil
}

// captureBuffer is the size of the receive buffer.
const captureBuffer = 16 << 20

// bigEndian16 returns a number in network byte order.
func bigEndian16(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// close removes the device if it was made for the capture.
func (d *monitorDevice) close() {
	if d.file != nil {
		_ = d.file.Close() // nothing is to be received
	}
	if d.isOwn {
		ctx, stop := context.WithTimeout(context.Background(), time.Second) // that of the command has ended
		defer stop()
		r := d.link(typeDelLink, 0, 0, "remove the nlmon device")
		_, _ = d.conn.Do(ctx, r) // the end of its network namespace removes it, too
		r.Release()
	}
	if d.conn != nil {
		_ = d.conn.Close() // all replies have been received
	}
}

// receive passes the datagrams of the device to show, until ctx ends.
func (d *monitorDevice) receive(ctx context.Context, show showFunc) error {
	stopped := context.AfterFunc(ctx, func() { _ = d.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stopped()
	raw, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	buf := make([]byte, maxDatagram)
	for {
		var n int
		var from unix.Sockaddr
		var failure error
		err := raw.Read(func(fd uintptr) bool {
			n, from, failure = unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC)
			return failure != unix.EAGAIN
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			err = failure
		}
		if err != nil {
			return fmt.Errorf("capture: %w", err)
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok {
			continue // the kernel always reports the address
		}
		g := input.Datagram{Time: time.Now(), Protocol: socket.Protocol(bigEndian16(link.Protocol)), Data: buf[:min(n, len(buf))], Missing: max(0, n-len(buf))}
		if err := show(&received{Datagram: g}); err != nil {
			return err
		}
	}
}
