package input

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/socket"
)

// The link types whose packets contain netlink datagrams (tcpdump.org/linktypes.html).
const (
	linkCooked  = 113 // LINKTYPE_LINUX_SLL
	linkNetlink = 253 // LINKTYPE_NETLINK
	linkCooked2 = 276 // LINKTYPE_LINUX_SLL2
)

// hardwareNetlink is ARPHRD_NETLINK, the type of nlmon devices.
const hardwareNetlink = 824

// linkHeader is the header before a datagram in a packet.
type linkHeader struct {
	size     int
	protocol socket.Protocol
}

// linkLen returns the size of the header of a link type, 0 if the packets of the link are
// not netlink datagrams.
func linkLen(link uint32) int {
	switch link {
	case linkCooked, linkNetlink:
		return 16
	case linkCooked2:
		return 20
	}
	return 0
}

// parseLink reads the header before a datagram: parts of struct sockaddr_ll in network
// byte order, in two layouts. ok is false if b is shorter or of another device.
func parseLink(link uint32, b []byte) (h linkHeader, ok bool) {
	size := linkLen(link)
	if size == 0 || len(b) < size {
		return h, false
	}
	hardware, protocol := b[2:], b[14:]
	if link == linkCooked2 {
		hardware, protocol = b[8:], b
	}
	h = linkHeader{size, socket.Protocol(binary.BigEndian.Uint16(protocol))}
	return h, binary.BigEndian.Uint16(hardware) == hardwareNetlink
}
