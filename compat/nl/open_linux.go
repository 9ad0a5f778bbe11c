package nl

import (
	"math"

	"github.com/nlwire/nlwire/socket"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// getNetlinkSocket opens a socket in the network namespace of the thread.
func getNetlinkSocket(protocol int) (*NetlinkSocket, error) { return open(protocol) }

// GetNetlinkSocketAt opens a socket of a protocol in the network namespace newNs, or in the
// namespace of the thread if newNs is not open. See [SubscribeAt] for curNs.
func GetNetlinkSocketAt(newNs, curNs netns.NsHandle, protocol int) (*NetlinkSocket, error) {
	return openAt(newNs, curNs, protocol)
}

// Subscribe opens a socket of a protocol in the network namespace of the thread, and joins
// groups. The kernel ignores unknown groups up to 32, and Subscribe ignores group 0; an
// unknown group above 32 is EINVAL.
func Subscribe(protocol int, groups ...uint) (*NetlinkSocket, error) {
	options, err := groupOptions(groups)
	if err != nil {
		return nil, err
	}
	return open(protocol, options...)
}

// SubscribeAt works as Subscribe, but in the network namespace newNs if newNs is open. The
// caller's thread does not enter newNs. If both are open, the thread is in curNs afterwards,
// as after the original function.
func SubscribeAt(newNs, curNs netns.NsHandle, protocol int, groups ...uint) (*NetlinkSocket, error) {
	options, err := groupOptions(groups)
	if err != nil {
		return nil, err
	}
	return openAt(newNs, curNs, protocol, options...)
}

// groupOptions returns the options that join groups: those up to 32 when the socket is
// bound, by a mask, and the others afterwards.
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
		_ = netns.Set(curNs) // best effort: the socket is open
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
