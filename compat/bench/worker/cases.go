package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

var ne = binary.NativeEndian

// cases contains the setup of each case. A setup returns a function that runs the case n times.
var cases = map[string]func() (func(n int) (time.Duration, error), error){
	"noop":        noop,
	"family":      family,
	"goroutines":  goroutines,
	"decode":      decode,
	"encode":      encode,
	"dump":        dumpExecute,
	"dump-iter":   dumpIter,
	"nft-rules":   nftRules,
	"large-nests": nests,
}

// timed returns a function that calls f n times and returns the time.
func timed(f func() error) func(n int) (time.Duration, error) {
	return func(n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}
}

var noopMessage = netlink.Message{Header: netlink.Header{Type: netlink.Noop, Flags: netlink.Request | netlink.Acknowledge}}

func noop() (func(int) (time.Duration, error), error) {
	c, err := netlink.Dial(unix.NETLINK_GENERIC, nil)
	return timed(func() error { _, err := c.Execute(noopMessage); return err }), err
}

func family() (func(int) (time.Duration, error), error) {
	c, err := genetlink.Dial(nil)
	return timed(func() error { _, err := c.GetFamily("nlctrl"); return err }), err
}

// goroutines runs n requests in each of eight goroutines.
func goroutines() (func(int) (time.Duration, error), error) {
	c, err := netlink.Dial(unix.NETLINK_GENERIC, nil)
	return func(n int) (time.Duration, error) {
		var wg sync.WaitGroup
		errs := make([]error, 8)
		start := time.Now()
		for i := range errs {
			wg.Go(func() {
				for range n {
					if _, errs[i] = c.Execute(noopMessage); errs[i] != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		return time.Since(start), errors.Join(errs...)
	}, err
}

const numbers = 32

func encode32() ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	for i := range uint32(numbers) {
		ae.Uint32(uint16(i+1), i)
	}
	return ae.Encode()
}

func encode() (func(int) (time.Duration, error), error) {
	return timed(func() error { _, err := encode32(); return err }), nil
}

func decode() (func(int) (time.Duration, error), error) {
	b, err := encode32()
	return timed(func() error {
		ad, err := netlink.NewAttributeDecoder(b)
		if err != nil {
			return err
		}
		sum := uint32(0)
		for ad.Next() {
			if ad.Type() != 0 {
				sum += ad.Uint32()
			}
		}
		if sum != numbers*(numbers-1)/2 {
			return fmt.Errorf("unexpected sum %d", sum)
		}
		return ad.Err()
	}), err
}

// nests encodes nested attributes to a depth of 500.
func nests() (func(int) (time.Duration, error), error) {
	var nest func(left int) func(ae *netlink.AttributeEncoder) error
	nest = func(left int) func(ae *netlink.AttributeEncoder) error {
		return func(ae *netlink.AttributeEncoder) error {
			if left > 0 {
				ae.Nested(1, nest(left-1))
			}
			return nil
		}
	}
	return timed(func() error {
		ae := netlink.NewAttributeEncoder()
		ae.Nested(1, nest(500))
		_, err := ae.Encode()
		return err
	}), nil
}

const routes = 10_000

var routeDump = netlink.Message{
	Header: netlink.Header{Type: unix.RTM_GETROUTE, Flags: netlink.Request | netlink.Dump},
	Data:   append([]byte{unix.AF_INET}, make([]byte, unix.SizeofRtMsg-1)...),
}

func dumpExecute() (func(int) (time.Duration, error), error) {
	c, err := withRoutes()
	return timed(func() error {
		msgs, err := c.Execute(routeDump)
		return enough(len(msgs), err)
	}), err
}

func dumpIter() (func(int) (time.Duration, error), error) {
	c, err := withRoutes()
	return timed(func() error {
		if _, err := c.Send(routeDump); err != nil {
			return err
		}
		n := 0
		for _, err := range c.ReceiveIter() {
			if err != nil {
				return err
			}
			n++
		}
		return enough(n, nil)
	}), err
}

func enough(n int, err error) error {
	if err == nil && n < routes {
		err = fmt.Errorf("only %d of %d routes", n, routes)
	}
	return err
}

// withRoutes adds the routes, over the link lo, and returns a Conn.
func withRoutes() (*netlink.Conn, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return nil, err
	}
	up := make([]byte, unix.SizeofIfInfomsg)
	ne.PutUint32(up[4:], 1)
	ne.PutUint32(up[8:], unix.IFF_UP)
	ne.PutUint32(up[12:], unix.IFF_UP)
	if err := change(c, unix.RTM_NEWLINK, 0, up); err != nil {
		return nil, err
	}
	for i := range uint32(routes) {
		ae := netlink.NewAttributeEncoder()
		ae.Bytes(unix.RTA_DST, binary.BigEndian.AppendUint32(nil, 10<<24|i))
		ae.Uint32(unix.RTA_OIF, 1)
		attrs, err := ae.Encode()
		if err != nil {
			return nil, err
		}
		rt := []byte{unix.AF_INET, 32, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0}
		if err := change(c, unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, append(rt, attrs...)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func change(c *netlink.Conn, typ netlink.HeaderType, flags netlink.HeaderFlags, data []byte) error {
	_, err := c.Execute(netlink.Message{Header: netlink.Header{Type: typ, Flags: netlink.Request | netlink.Acknowledge | flags}, Data: data})
	return err
}
