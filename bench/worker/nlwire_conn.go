package main

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The column nlwire-conn is package conn, which many goroutines may share.

// getFamilyConn is the request for one family, or without a name for all.
func getFamilyConn(c *conn.Conn, name string, flags nlmsg.Flags) *conn.Request {
	var header [genlmsg.HeaderLen]byte
	r := c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest|flags,
		genlmsg.Append(header[:0], genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	if name != "" {
		r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	}
	return r
}

func resolveConn(*input.Set) (task, error) {
	c, err := conn.Open(socket.Generic)
	ctx, cancel := context.WithCancel(context.Background()) // one that can end
	_ = cancel
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			r := getFamilyConn(c, names[0], 0)
			m, err := c.Do(ctx, r)
			if err != nil {
				return 0, err
			}
			id, err := familyID(m)
			if err != nil {
				return 0, err
			}
			sum += id
			r.Release()
		}
		return sum, nil
	}}, err
}

func dumpConn(c *conn.Conn, r *conn.Request, f func(nlmsg.Msg) (uint64, error)) (sum uint64, err error) {
	defer r.Release()
	for m, err := range c.Dump(context.Background(), r) {
		if err != nil {
			return 0, err
		}
		v, err := f(m)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

func familiesConn(*input.Set) (task, error) {
	c, err := conn.Open(socket.Generic)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			v, err := dumpConn(c, getFamilyConn(c, "", 0), familySum)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

func routesConn(*input.Set) (task, error) {
	c, err := conn.Open(socket.Route)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			r := c.Request(unix.RTM_GETROUTE, nlmsg.FlagRequest, ipv4Routes[:])
			v, err := dumpConn(c, r, routeSum)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

func floodConn(*input.Set) (task, error) {
	c, err := conn.Open(socket.Route, conn.WithSocket(socket.WithReceiveBuffer(queueSize)))
	if err != nil {
		return task{}, err
	}
	s, err := c.Subscribe(routeGroup)
	if err != nil {
		return task{}, err
	}
	if err := s.Transport().(*socket.Socket).SetReceiveBuffer(queueSize); err != nil {
		return task{}, err
	}
	return task{run: func(n int) (sum uint64, err error) {
		left := n * floodEvents
		for m, err := range s.All(context.Background()) {
			if err != nil {
				return 0, err
			}
			v, err := routeSum(m)
			if err != nil {
				return 0, err
			}
			sum += v + uint64(m.Type())
			if left--; left == 0 {
				break
			}
		}
		return sum, nil
	}}, nil
}

func pipelineConn(*input.Set) (task, error) {
	c, err := conn.Open(socket.Generic)
	requests := make([]*conn.Request, pipelined)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			for i := range requests {
				requests[i] = getFamilyConn(c, names[i%4], 0)
			}
			if err := c.Batch(context.Background(), requests...); err != nil {
				return 0, err
			}
			for _, r := range requests {
				id, err := familyID(r.Reply())
				if err != nil {
					return 0, err
				}
				sum += id
				r.Release()
			}
		}
		return sum, nil
	}}, err
}
