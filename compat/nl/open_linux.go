package nl

import (
	"math"

	"github.com/nlwire/nlwire/socket"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// getNetlinkSocket opens a socket in the network namespace of the thread.
func getNetlinkSocket(protocol int) (*NetlinkSocket, error) { return open(protocol) }

// GetNetlinkSocketAt opens a socket of a protocol in the network namespace newNs, or in
// that of the thread if newNs is not open. See [SubscribeAt] for curNs.
func GetNetlinkSocketAt(newNs, curNs netns.NsHandle, protocol int) (*NetlinkSocket, error) {
	return openAt(newNs, curNs, protocol)
}

// Subscribe opens a socket of a protocol that is a member of groups, in the network
// namespace of the thread. Of groups up to 32 the kernel ignores those that the protocol
// does not have, and so does this of group 0; an unknown group above 32 is EINVAL.
func Subscribe(protocol int, groups ...uint) (*NetlinkSocket, error) {
	options, err := groupOptions(groups)
	if err != nil {
		return nil, err
	}
	return open(protocol, options...)
}

// SubscribeAt is Subscribe in the network namespace newNs, or in that of the thread if
// newNs is not open. The thread of the caller does not enter newNs; if both are open, it
// is in curNs afterwards, where callers that pass it expect to be.
func SubscribeAt(newNs, curNs netns.NsHandle, protocol int, groups ...uint) (*NetlinkSocket, error) {
	options, err := groupOptions(groups)
	if err != nil {
		return nil, err
	}
	return openAt(newNs, curNs, protocol, options...)
}

// groupOptions joins the groups that a mask can express while the socket is bound, and
// the others afterwards.
func groupOptions(groups []uint) ([]socket.Option, error) {
	var mask uint32
	var options []socket.Option
	for _, g := range groups {
		switch {
		case g == 0:
		case g <= 32:
			mask |= 1 << (g - 1)
		case g <= math.MaxUint32:
			options = append(options, socket.WithGroups(uint32(g)))
		default:
			return nil, unix.EINVAL
		}
	}
	return append(options, socket.WithGroupMask(mask)), nil
}

func openAt(newNs, curNs netns.NsHandle, protocol int, options ...socket.Option) (*NetlinkSocket, error) {
	if !newNs.IsOpen() {
		return open(protocol, options...)
	}
	s, err := open(protocol, append(options, socket.WithNetNS(int(newNs)))...)
	if curNs.IsOpen() {
		_ = netns.Set(curNs) // best effort: the socket is there
	}
	return s, err
}

func open(protocol int, options ...socket.Option) (*NetlinkSocket, error) {
	sock, err := socket.Open(socket.Protocol(protocol), options...)
	if err != nil {
		return nil, plain(err)
	}
	s := &NetlinkSocket{sock: sock}
	err = sock.Control(func(fd int) error {
		s.fd = fd
		return nil
	})
	return s, plain(err)
}
