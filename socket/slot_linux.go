package socket

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cmsgSpace is CMSG_SPACE(sizeof(int)), as a constant; controlLen has room for
// the two control messages that this package reads.
const (
	word       = int(unsafe.Sizeof(uintptr(0)))
	cmsgSpace  = (unix.SizeofCmsghdr+word-1)&^(word-1) + (4+word-1)&^(word-1)
	controlLen = 2 * cmsgSpace
)

// A slot is what one received datagram needs besides the msghdr. It is part of
// something on the heap: the msghdr points into it, and the kernel writes there.
type slot struct {
	control [controlLen]byte // first, for the alignment of a cmsghdr
	from    unix.RawSockaddrNetlink
	iov     unix.Iovec
	size    int // length of the caller's buffer
}

// link points h at the slot, once and for all.
func (sl *slot) link(h *unix.Msghdr) {
	h.Name = (*byte)(unsafe.Pointer(&sl.from))
	h.Control = &sl.control[0]
	h.Iov = &sl.iov
	h.SetIovlen(1)
}

// offer puts the caller's buffer in.
func (sl *slot) offer(b []byte) {
	sl.iov.Base = unsafe.SliceData(b)
	sl.iov.SetLen(len(b))
	sl.size = len(b)
}

// release forgets the buffer, which must not live on through the socket.
func (sl *slot) release() { sl.iov.Base = nil }

// arm sets the lengths, which are results of the call before.
func arm(h *unix.Msghdr) {
	h.Namelen = unix.SizeofSockaddrNetlink
	h.SetControllen(controlLen)
}

// result reads what the kernel wrote. size is the datagram's real length, which
// MSG_TRUNC has the call return.
func (sl *slot) result(h *unix.Msghdr, size int) (n int, info Info, err error) {
	n, err = sl.sender(&info, h.Namelen, size, sl.size)
	if length := int(h.Controllen); length != 0 {
		info.control(sl.control[:length])
	}
	return n, info, err
}

// sender is result without control messages, for a buffer of room bytes. info is
// zero; it is too large to be returned without being copied.
func (sl *slot) sender(info *Info, namelen uint32, size, room int) (n int, err error) {
	n = min(size, room)
	info.Size = size
	// The kernel always names a netlink sender. This is about descriptors that
	// are no netlink sockets and kernels that are not Linux: an address that
	// was not written must not pass for port 0.
	if namelen < unix.SizeofSockaddrNetlink || sl.from.Family != unix.AF_NETLINK {
		return n, ErrSender
	}
	info.PortID, info.Groups = sl.from.Pid, sl.from.Groups
	if size > room {
		err = ErrTruncated
	}
	return n, err
}

// control reads the control messages of netlink_cmsg_recv_pktinfo and
// netlink_cmsg_listen_all_nsid. Others, which a user of SyscallConn may have
// asked for, come after them and are skipped.
func (info *Info) control(b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(b) {
			return
		}
		if h.Level == unix.SOL_NETLINK && size >= cmsgData+4 {
			info.option(h.Type, binary.NativeEndian.Uint32(b[cmsgData:]))
		}
		b = b[min((size+word-1)&^(word-1), len(b)):]
	}
}

// cmsgData is where the data of a control message begins (CMSG_DATA).
const cmsgData = (unix.SizeofCmsghdr + word - 1) &^ (word - 1)

func (info *Info) option(typ int32, value uint32) {
	switch typ {
	case unix.NETLINK_PKTINFO: // struct nl_pktinfo { __u32 group; }
		info.Group = value
	case unix.NETLINK_LISTEN_ALL_NSID: // int
		info.NSID, info.HasNSID = int32(value), true
	}
}
