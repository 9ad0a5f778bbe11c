package main

import (
	"errors"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
)

// The column jsimonetti.

func routeJsimonetti(m *rtnetlink.RouteMessage) route {
	r := route{oif: m.Attributes.OutIface, table: m.Attributes.Table, dstLen: m.DstLength}
	if ip := m.Attributes.Dst.To4(); ip != nil {
		r.dst = ne.Uint32(ip)
	}
	return r
}

func routesJsimonetti(*input.Set) (task, error) {
	c, err := rtnetlink.Dial(mdlayherConfig)
	return repeating(err, func() (sum uint64, err error) {
		messages, err := c.Execute(&rtnetlink.RouteMessage{Family: unix.AF_INET}, unix.RTM_GETROUTE, netlink.Request|netlink.Dump)
		if err != nil {
			return 0, err
		}
		for _, m := range messages {
			sum += routeJsimonetti(m.(*rtnetlink.RouteMessage)).sum()
		}
		return sum, nil
	})
}

// eventsJsimonetti decodes messages itself: the library's Conn has no option for a larger receive
// buffer.
func eventsJsimonetti(*input.Set) (task, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, mdlayherConfig)
	if err == nil {
		err = errors.Join(c.SetReadBuffer(queueSize), c.JoinGroup(routeGroup))
	}
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * eventsPerOp; left > 0; {
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
