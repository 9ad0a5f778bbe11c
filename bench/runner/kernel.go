package runner

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// kernel is the network namespace in which the live cases run.
type kernel struct {
	*conn.Conn
	sender *conn.Pin // for flood
	routes int       // number of routes
}

const lo = 1 // the index of the loopback link

func newKernel() (*kernel, error) {
	c, err := conn.Open(socket.Route, conn.WithSocket(socket.WithSendBuffer(4<<20)))
	if err != nil {
		return nil, err
	}
	sender, err := c.Pin()
	if err != nil {
		return nil, err
	}
	k := &kernel{Conn: c, sender: sender}
	var up [unix.SizeofIfInfomsg]byte
	binary.NativeEndian.PutUint32(up[4:], lo)
	binary.NativeEndian.PutUint32(up[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(up[12:], unix.IFF_UP)
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagRequest|nlmsg.FlagAck, up[:])
	defer r.Release()
	_, err = c.Do(context.Background(), r)
	return k, err
}

// grow adds routes until there are n.
func (k *kernel) grow(n int) error {
	const perBatch = 2000
	for k.routes < n {
		var batch []*conn.Request
		for ; k.routes < n && len(batch) < perBatch; k.routes++ {
			r := k.Request(unix.RTM_NEWROUTE, nlmsg.FlagRequest|nlmsg.FlagCreate, toHost[:])
			r.B = appendHost(r.B, 10<<24+uint32(k.routes))
			batch = append(batch, r)
		}
		last := nlmsg.Msg(batch[len(batch)-1].B) // without FlagAck, the kernel reports only failures
		last.SetFlags(last.Flags() | nlmsg.FlagAck)
		if err := k.Batch(context.Background(), batch...); err != nil {
			return err
		}
		for _, r := range batch {
			r.Release()
		}
	}
	return nil
}

// toHost is the struct rtmsg of a route to a single address over a link.
var toHost = [unix.SizeofRtMsg]byte{
	0: unix.AF_INET, 1: 32, 4: unix.RT_TABLE_MAIN, 5: unix.RTPROT_BOOT, 6: unix.RT_SCOPE_LINK, 7: unix.RTN_UNICAST,
}

func appendHost(b []byte, address uint32) []byte {
	b = nla.AppendBE32(b, unix.RTA_DST, address)
	return nla.AppendUint32(b, unix.RTA_OIF, lo)
}

// flood makes the kernel send events: it adds and deletes a route in turn.
func (k *kernel) flood(events int) error {
	var b []byte
	for i := range events {
		typ, flags := nlmsg.Type(unix.RTM_NEWROUTE), nlmsg.FlagRequest|nlmsg.FlagCreate|nlmsg.FlagExcl
		if i%2 == 1 {
			typ, flags = unix.RTM_DELROUTE, nlmsg.FlagRequest
		}
		mark := len(b)
		b = nlmsg.Begin(b, typ, flags, 1, 0)
		b = append(b, toHost[:]...)
		b = nlmsg.End(appendHost(b, 172<<24+uint32(i/2)), mark)
	}
	return k.sender.Send(b)
}

// routeDump records the datagrams of a dump of the routes.
func (k *kernel) routeDump() (datagrams [][]byte, err error) {
	s, err := socket.Open(socket.Route)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b := nlmsg.Begin(nil, unix.RTM_GETROUTE, nlmsg.FlagRequest|nlmsg.FlagDump, 1, 0)
	header := [unix.SizeofRtMsg]byte{unix.AF_INET}
	if err := s.Send(nlmsg.End(append(b, header[:]...), 0)); err != nil {
		return nil, err
	}
	buf := make([]byte, socket.BufferSize)
	for {
		n, _, err := s.Receive(buf)
		if err != nil {
			return nil, err
		}
		datagrams = append(datagrams, bytes.Clone(buf[:n]))
		for m, err := range nlmsg.All(buf[:n]) {
			if err != nil {
				return nil, err
			}
			switch m.Type() {
			case nlmsg.TypeDone:
				return datagrams, nil
			case nlmsg.TypeError:
				return nil, fmt.Errorf("dump of routes: %v", m)
			}
		}
	}
}

// routeAttrs counts the attributes of all routes, at the top level.
func (k *kernel) routeAttrs() (attrs int, err error) {
	header := [unix.SizeofRtMsg]byte{unix.AF_INET}
	r := k.Request(unix.RTM_GETROUTE, nlmsg.FlagRequest, header[:])
	defer r.Release()
	for m, err := range k.Dump(context.Background(), r) {
		if err != nil {
			return 0, err
		}
		for range nla.All(m.Attrs(len(header))) {
			attrs++
		}
	}
	return attrs, nil
}
