package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The column nlwire uses the packages that the documentation recommends: conn and ctrl. The column
// nlwire-socket uses a socket and the codec.

var errAnswer = errors.New("unexpected reply")

// repeating returns a task that repeats an operation and adds up the results.
func repeating(err error, operation func() (uint64, error)) (task, error) {
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			v, err := operation()
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

// resolveNlwire builds the complete family, like the other libraries.
func resolveNlwire(*input.Set) (task, error) {
	c, err := ctrl.Open()
	return repeating(err, func() (uint64, error) {
		f, err := c.Family(context.Background(), names[0])
		if err != nil {
			return 0, err
		}
		return uint64(f.ID), nil
	})
}

// familyID reads the ID from a reply.
func familyID(m nlmsg.Msg) (uint64, error) {
	id, err := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
	return uint64(id), err
}

// getFamily returns a request for one family.
func getFamily(c *conn.Conn, name string) *conn.Request {
	var header [genlmsg.HeaderLen]byte
	r := c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest, genlmsg.Append(header[:0], genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	return r
}

// doer returns a function that requests an ID over a shared connection. The function is safe for
// concurrent use.
func doer() (func() (uint64, error), error) {
	c, err := conn.Open(socket.Generic)
	ctx, cancel := context.WithCancel(context.Background()) // cancelable, as usual in a program
	_ = cancel
	return func() (uint64, error) {
		r := getFamily(c, names[0])
		defer r.Release()
		m, err := c.Do(ctx, r)
		if err != nil {
			return 0, err
		}
		return familyID(m)
	}, err
}

func requestConn(*input.Set) (task, error) {
	do, err := doer()
	return repeating(err, do)
}

// socketDoer returns a function that requests an ID over one socket. Calls must not overlap.
func socketDoer() (func() (uint64, error), error) {
	s, err := socket.Open(socket.Generic)
	req, buf, seq := []byte(nil), make([]byte, socket.BufferSize), uint32(0)
	return func() (uint64, error) {
		seq += 4 // names[0]
		req, _ = requestNlwire(req[:0], seq)
		n, info, _, err := s.TryRoundTrip(req, buf)
		if err != nil {
			return 0, err
		}
		m, _ := nlmsg.Consume(buf[:n])
		if m.Seq() != seq || info.PortID != 0 {
			return 0, errAnswer
		}
		return familyID(m)
	}, err
}

func requestSocket(*input.Set) (task, error) {
	do, err := socketDoer()
	return repeating(err, do)
}

func batchNlwire(*input.Set) (task, error) {
	c, err := conn.Open(socket.Generic)
	requests := make([]*conn.Request, batched)
	return repeating(err, func() (sum uint64, err error) {
		for i := range requests {
			requests[i] = getFamily(c, names[i%4])
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
		return sum, nil
	})
}

// ipv4Routes is the struct rtmsg of a request for IPv4 routes.
var ipv4Routes = [unix.SizeofRtMsg]byte{unix.AF_INET}

func routesNlwire(*input.Set) (task, error) {
	c, err := conn.Open(socket.Route)
	return repeating(err, func() (sum uint64, err error) {
		r := c.Request(unix.RTM_GETROUTE, nlmsg.FlagRequest, ipv4Routes[:])
		defer r.Release()
		for m, err := range c.Dump(context.Background(), r) {
			if err != nil {
				return 0, err
			}
			v, err := routeSum(m)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
}

// routeSum decodes a route and returns its checksum.
func routeSum(m nlmsg.Msg) (uint64, error) {
	p := m.Payload()
	if len(p) < unix.SizeofRtMsg {
		return 0, errAnswer
	}
	r := route{dstLen: p[1]}
	c := nla.Walk(p[unix.SizeofRtMsg:])
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.RTA_DST:
			r.dst, err = a.Uint32()
		case unix.RTA_OIF:
			r.oif, err = a.Uint32()
		case unix.RTA_TABLE:
			r.table, err = a.Uint32()
		}
		if err != nil {
			return 0, err
		}
	}
	return r.sum(), c.Err()
}

func eventsNlwire(*input.Set) (task, error) {
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
		left := n * eventsPerOp
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

func eventsSocket(*input.Set) (task, error) {
	s, err := socket.Open(socket.Route, socket.WithReceiveBuffer(queueSize), socket.WithGroups(routeGroup))
	batch := socket.MakeBatch(64, 2048)
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * eventsPerOp; left > 0; {
			count, err := s.ReceiveBatch(batch)
			if err != nil {
				return 0, err
			}
			for i := range batch[:count] {
				v, err := eventSum(&batch[i])
				if err != nil {
					return 0, err
				}
				sum += v
			}
			left -= count
		}
		return sum, nil
	}}, err
}

func eventSum(d *socket.Datagram) (uint64, error) {
	if d.Err != nil || d.Info.PortID != 0 {
		return 0, fmt.Errorf("unexpected datagram: %w", d.Err)
	}
	m, n := nlmsg.Consume(d.Bytes())
	if n < 0 {
		return 0, nlmsg.ParseError(n)
	}
	v, err := routeSum(m)
	return v + uint64(m.Type()), err
}
