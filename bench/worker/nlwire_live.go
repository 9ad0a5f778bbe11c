package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The column nlwire is a socket and the codec, without package conn.

var errAnswer = errors.New("not the answer")

// asker sends requests and checks who answers.
type asker struct {
	*socket.Socket
	req, buf []byte
	seq      uint32
}

func newAsker(protocol socket.Protocol) (*asker, error) {
	s, err := socket.Open(protocol)
	return &asker{Socket: s, buf: make([]byte, socket.BufferSize)}, err
}

// receive returns a datagram of the kernel.
func (s *asker) receive() ([]byte, error) {
	n, info, err := s.Receive(s.buf)
	if err == nil && info.PortID != 0 {
		err = errAnswer
	}
	return s.buf[:n], err
}

// dump sends what is in req, and has the datagrams of the answer summed up to the
// end of the dump.
func (s *asker) dump(sum func(d []byte) (v uint64, done bool, err error)) (total uint64, err error) {
	if err := s.Send(s.req); err != nil {
		return 0, err
	}
	for {
		d, err := s.receive()
		if err != nil {
			return 0, err
		}
		v, done, err := sum(d)
		if err != nil {
			return 0, err
		}
		total += v
		if done {
			return total, nil
		}
	}
}

// sumFamilies and sumRoutes each have the loop: a call for each route is 1 % of a
// dump of routes.
func sumFamilies(d []byte) (sum uint64, done bool, err error) {
	c := nlmsg.Walk(d)
	for ; c.More(); c = c.Next() {
		switch c.Type() {
		case nlmsg.TypeDone:
			return sum, true, nil
		case nlmsg.TypeError:
			return 0, false, errAnswer
		}
		v, err := familySum(c.Msg())
		if err != nil {
			return 0, false, err
		}
		sum += v
	}
	return sum, false, c.Err()
}

func sumRoutes(d []byte) (sum uint64, done bool, err error) {
	c := nlmsg.Walk(d)
	for ; c.More(); c = c.Next() {
		switch c.Type() {
		case nlmsg.TypeDone:
			return sum, true, err
		case nlmsg.TypeError:
			return 0, false, errAnswer
		}
		m := c.Msg()
		if len(m) < nlmsg.HeaderLen+unix.SizeofRtMsg {
			return 0, false, errAnswer
		}
		r := route{dstLen: m[nlmsg.HeaderLen+1]}
		for a, bad := range nla.All(c.Attrs(unix.SizeofRtMsg)) {
			switch a.Type() { // 0 for the nil of an error
			case unix.RTA_DST:
				r.dst, bad = a.Uint32()
			case unix.RTA_OIF:
				r.oif, bad = a.Uint32()
			case unix.RTA_TABLE:
				r.table, bad = a.Uint32()
			}
			if bad != nil {
				err = bad
			}
		}
		sum += r.sum()
	}
	if err == nil {
		err = c.Err()
	}
	return sum, false, err
}

// routeSum is sumRoutes of one message.
func routeSum(m nlmsg.Msg) (uint64, error) {
	sum, _, err := sumRoutes(m)
	return sum, err
}

// familyID reads the id out of a reply.
func familyID(m nlmsg.Msg) (uint64, error) {
	id, err := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
	return uint64(id), err
}

func resolveNlwire(*input.Set) (task, error) {
	s, err := newAsker(socket.Generic)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			s.seq++
			s.req = requestNlwire(s.req[:0], s.seq, names[0])
			size, info, _, err := s.TryRoundTrip(s.req, s.buf)
			if err != nil {
				return 0, err
			}
			m, _ := nlmsg.Consume(s.buf[:size])
			if m.Seq() != s.seq || info.PortID != 0 {
				return 0, errAnswer
			}
			id, err := familyID(m)
			if err != nil {
				return 0, err
			}
			sum += id
		}
		return sum, nil
	}}, err
}

func familiesNlwire(*input.Set) (task, error) {
	s, err := newAsker(socket.Generic)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			s.seq++
			b := nlmsg.Begin(s.req[:0], genlmsg.IDCtrl, nlmsg.FlagRequest|nlmsg.FlagDump, s.seq, 0)
			s.req = nlmsg.End(genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion), 0)
			v, err := s.dump(sumFamilies)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

func routesNlwire(*input.Set) (task, error) {
	s, err := newAsker(socket.Route)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			s.seq++
			b := nlmsg.Begin(s.req[:0], unix.RTM_GETROUTE, nlmsg.FlagRequest|nlmsg.FlagDump, s.seq, 0)
			s.req = nlmsg.End(append(b, ipv4Routes[:]...), 0)
			v, err := s.dump(sumRoutes)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	}}, err
}

// ipv4Routes is the struct rtmsg of a request for IPv4 routes.
var ipv4Routes = [unix.SizeofRtMsg]byte{unix.AF_INET}

func floodNlwire(*input.Set) (task, error) {
	s, err := socket.Open(socket.Route, socket.WithReceiveBuffer(queueSize), socket.WithGroups(routeGroup))
	batch := socket.MakeBatch(64, 2048)
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * floodEvents; left > 0; {
			count, err := s.ReceiveBatch(batch)
			if err != nil {
				return 0, err
			}
			for i := range batch[:count] {
				v, err := sumEvent(&batch[i])
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

func sumEvent(d *socket.Datagram) (uint64, error) {
	if d.Err != nil || d.Info.PortID != 0 {
		return 0, fmt.Errorf("not an event: %w", d.Err)
	}
	m, n := nlmsg.Consume(d.Bytes())
	if n < 0 {
		return 0, nlmsg.ParseError(n)
	}
	v, err := routeSum(m)
	return v + uint64(m.Type()), err
}

func pipelineNlwire(*input.Set) (task, error) {
	s, err := newAsker(socket.Generic)
	return task{run: func(n int) (sum uint64, err error) {
		for range n {
			s.req = s.req[:0]
			for i := range pipelined {
				s.seq++
				s.req = requestNlwire(s.req, s.seq, names[i%4])
			}
			if err := s.Send(s.req); err != nil {
				return 0, err
			}
			for range pipelined {
				d, err := s.receive()
				if err != nil {
					return 0, err
				}
				m, _ := nlmsg.Consume(d)
				id, err := familyID(m)
				if err != nil {
					return 0, err
				}
				sum += id
			}
		}
		return sum, nil
	}}, err
}
