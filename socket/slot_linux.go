package socket

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cmsgSpace is CMSG_SPACE(sizeof(int)) as a constant. controlLen has room for the two
// control messages that this package reads.
const (
	word       = int(unsafe.Sizeof(uintptr(0)))
	cmsgSpace  = (unix.SizeofCmsghdr+word-1)&^(word-1) + (4+word-1)&^(word-1)
	controlLen = 2 * cmsgSpace
)

// A slot has the memory for one received datagram, apart from the msghdr. It is part of a
// heap object, because the msghdr points into it and the kernel writes there.
type slot struct {
	control [controlLen]byte // first, for the alignment of a cmsghdr
	from    unix.RawSockaddrNetlink
	iov     unix.Iovec
	size    int // length of the caller's buffer
}

// link makes h point to the slot. One call is sufficient for the life of the slot.
func (sl *slot) link(h *unix.Msghdr) {
	h.Name = (*byte)(unsafe.Pointer(&sl.from))
	h.Control = &sl.control[0]
	h.Iov = &sl.iov
	h.SetIovlen(1)
}

// offer sets the caller's buffer.
func (sl *slot) offer(b []byte) {
	sl.iov.Base = unsafe.SliceData(b)
	sl.iov.SetLen(len(b))
	sl.size = len(b)
}

// release drops the reference to the buffer, so that the socket does not keep it alive.
func (sl *slot) release() { sl.iov.Base = nil }

// arm sets the lengths, which the preceding call has overwritten.
func arm(h *unix.Msghdr) {
	h.Namelen = unix.SizeofSockaddrNetlink
	h.SetControllen(controlLen)
}

// result reads what the kernel wrote. size is the length before truncation, which the call
// returns because of MSG_TRUNC.
func (sl *slot) result(h *unix.Msghdr, size int) (n int, info Info, err error) {
	n, err = sl.sender(&info, h.Namelen, size, sl.size)
	if length := int(h.Controllen); length != 0 {
		info.control(sl.control[:length])
	}
	return n, info, err
}

// sender is result without control messages, for a buffer of room bytes. It fills *info,
// which is zero before; returning an Info would copy it.
func (sl *slot) sender(info *Info, namelen uint32, size, room int) (n int, err error) {
	n = min(size, room)
	info.Size = size
	// The kernel always provides the address of a netlink sender. Other descriptors and
	// kernels may not: a missing address must not be mistaken for port ID 0.
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
// netlink_cmsg_listen_all_nsid. Other messages follow these and are skipped; a user of
// SyscallConn may have enabled them.
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

// cmsgData is the offset of the data in a control message (CMSG_DATA).
const cmsgData = (unix.SizeofCmsghdr + word - 1) &^ (word - 1)

func (info *Info) option(typ int32, value uint32) {
	switch typ {
	case unix.NETLINK_PKTINFO: // struct nl_pktinfo { __u32 group; }
		info.Group = value
	case unix.NETLINK_LISTEN_ALL_NSID: // int
		info.NSID, info.HasNSID = int32(value), true
	}
}
