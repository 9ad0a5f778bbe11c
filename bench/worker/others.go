package main

import (
	"errors"
	"syscall"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nla"
)

// The columns syscall and jsimonetti.

// decodeSyscall knows messages of rtnetlink, by their type.
func decodeSyscall(in *input.Set) (task, error) {
	if in.HeaderLen == unix.GENL_HDRLEN {
		return task{}, absent(rtnetlinkOnly)
	}
	return walking(walkSyscall)(in)
}

func walkSyscall(d []byte, in *input.Set) (sum uint64, err error) {
	messages, err := syscall.ParseNetlinkMessage(d)
	if err != nil {
		return 0, err
	}
	for i := range messages {
		if messages[i].Header.Type < unix.NLMSG_MIN_TYPE {
			continue
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(&messages[i])
		if err != nil {
			return 0, err
		}
		for i := range attrs {
			sum += touch(attrs[i].Attr.Type&nla.TypeMask, attrs[i].Value)
		}
	}
	return sum, nil
}

func routesSyscall(*input.Set) (task, error) {
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			b, err := syscall.NetlinkRIB(unix.RTM_GETROUTE, unix.AF_INET)
			if err != nil {
				return 0, err
			}
			v, err := sumSyscall(b)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, nil
}

func sumSyscall(b []byte) (sum uint64, err error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return 0, err
	}
	for i := range messages {
		m := &messages[i]
		if m.Header.Type == unix.NLMSG_DONE {
			break
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			return 0, err
		}
		sum += routeOfAttrs(route{dstLen: m.Data[1]}, attrs).sum()
	}
	return sum, nil
}

func floodSyscall(*input.Set) (task, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err == nil {
		err = errors.Join(
			syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, queueSize),
			syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: 1 << (routeGroup - 1)}))
	}
	buf := make([]byte, largeBuffer)
	return task{run: func(n int) (sum uint64, err error) {
		for range n * floodEvents {
			n, from, err := syscall.Recvfrom(fd, buf, 0)
			if err != nil {
				return 0, err
			}
			if sa, ok := from.(*syscall.SockaddrNetlink); !ok || sa.Pid != 0 {
				return 0, errAnswer
			}
			v, err := eventSyscall(buf[:n])
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

func eventSyscall(b []byte) (uint64, error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil || len(messages) != 1 {
		return 0, errors.Join(err, errAnswer)
	}
	m := &messages[0]
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return 0, err
	}
	return routeOfAttrs(route{dstLen: m.Data[1]}, attrs).sum() + uint64(m.Header.Type), nil
}

func routeJsimonetti(m *rtnetlink.RouteMessage) route {
	r := route{oif: m.Attributes.OutIface, table: m.Attributes.Table, dstLen: m.DstLength}
	if ip := m.Attributes.Dst.To4(); ip != nil {
		r.dst = ne.Uint32(ip)
	}
	return r
}

func routesJsimonetti(*input.Set) (task, error) {
	c, err := rtnetlink.Dial(mdlayherConfig)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			messages, err := c.Execute(&rtnetlink.RouteMessage{Family: unix.AF_INET}, unix.RTM_GETROUTE,
				netlink.Request|netlink.Dump)
			if err != nil {
				return 0, err
			}
			for _, m := range messages {
				sum += routeJsimonetti(m.(*rtnetlink.RouteMessage)).sum()
			}
		}
		return sum, nil
	}}, err
}

// floodJsimonetti decodes by hand: its Conn has no larger receive buffer.
func floodJsimonetti(*input.Set) (task, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, mdlayherConfig)
	if err == nil {
		err = errors.Join(c.SetReadBuffer(queueSize), c.JoinGroup(routeGroup))
	}
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * floodEvents; left > 0; {
			for m, err := range c.ReceiveIter() {
				if err != nil {
					return 0, err
				}
				var r rtnetlink.RouteMessage
				if err := r.UnmarshalBinary(m.Data); err != nil {
					return 0, err
				}
				sum += routeJsimonetti(&r).sum() + uint64(m.Header.Type)
				left--
			}
		}
		return sum, nil
	}}, err
}
