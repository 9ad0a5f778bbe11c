package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/socket"
)

const monitorHelp = `Without arguments, nlctl prints the families and groups that are added and removed. Each
argument selects a protocol, by name or number, or a family, with a multicast group of it
by name or number; without a group, all groups whose names are known are joined, or the
groups 1 to 32 of the protocol.

Lost notifications are reported: the kernel drops them while the receive buffer is full.
-all-namespaces also receives from the network namespaces that have an ID in this one
(ip netns list-id), and prints the ID.

-w FILE writes a capture that Wireshark, tshark and nlctl decode read.`

const monitorExamples = `   nlctl monitor
   nlctl monitor route
   nlctl monitor route:link rt-neigh nlctrl:notify
   nlctl monitor ethtool:monitor -json
   nlctl monitor route netfilter -w FILE
   nlctl monitor 15:1`

func monitorFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "w", Usage: "write the datagrams to `FILE` as a capture, \"-\" is the standard output"},
		&cli.BoolFlag{Name: "all-namespaces", Usage: "also receive from other network namespaces that have an ID in this one"},
		&cli.IntFlag{Name: "buffer", Value: 4 << 20, Usage: "the size of the receive buffer in `BYTES`"},
	}
}

// monitor prints notifications until it is interrupted.
func monitor(ctx context.Context, c *cli.Command) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	args := c.Args().Slice()
	if len(args) == 0 && !c.IsSet("w") {
		return watch(ctx, c)
	}
	if c.IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with groups: a bus has only the controller's notifications")}
	}
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"nlctrl"}
	}
	groups, err := parseGroups(ctx, specs, args)
	if err != nil {
		return err
	}
	show, end, err := newShow(c, specs, groups)
	if err != nil {
		return err
	}
	return errors.Join(receiveAll(ctx, c, groups, show), end())
}

// showFunc prints or writes a datagram, or a loss.
type showFunc func(d *received) error

// received is a datagram of a group, or a loss if err is not nil.
type received struct {
	input.Datagram
	nsid    int32
	hasNSID bool
	err     error
}

// newShow returns the function that shows datagrams, and the one that ends the output. The
// datagrams are those of groups; if it is nil, also requests and replies.
func newShow(c *cli.Command, specs *names, groups []*membership) (showFunc, func() error, error) {
	if path := c.String("w"); path != "" {
		return newCapture(c, path)
	}
	d := newDecoder(standardOutput(c), specs, c.Bool("json"))
	d.isMulticast = groups != nil
	for _, g := range groups {
		for _, f := range g.families {
			d.describe(f)
		}
	}
	print := func(r *received) error {
		if r.err != nil {
			d.loss(r)
		} else if err := d.received(r); err != nil {
			return err
		}
		return d.out.Flush()
	}
	return print, d.out.Flush, nil
}

// received prints a datagram with the ID of its network namespace.
func (d *decoder) received(r *received) error {
	d.nsid = nil
	if r.hasNSID {
		d.nsid = &r.nsid
	}
	return d.datagram(&r.Datagram)
}

// loss prints that notifications were lost.
func (d *decoder) loss(r *received) {
	o := d.out
	if d.isJSON {
		o.text("{")
		o.keyTime("time", r.Time)
		o.keyString("protocol", r.Protocol.String())
		o.keyString("loss", errorText(r.err))
		o.text("}\n")
		return
	}
	o.time(r.Time)
	o.text("  ", r.Protocol.String(), ": ")
	o.paint(colorError, "notifications were lost: "+errorText(r.err))
	o.text("\n")
}

// receiveAll receives from all sockets until ctx ends or one fails.
func receiveAll(ctx context.Context, c *cli.Command, groups []*membership, show showFunc) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex // of show
	var wait sync.WaitGroup
	for _, g := range groups {
		if err := g.open(c); err != nil {
			stop(err)
			break
		}
		wait.Go(func() {
			err := g.receive(ctx, func(r *received) error {
				mu.Lock()
				defer mu.Unlock()
				return show(r)
			})
			if err != nil {
				stop(err)
			}
		})
	}
	wait.Wait()
	for _, g := range groups {
		g.close()
	}
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// receive passes the datagrams of a socket to show, until ctx ends.
func (g *membership) receive(ctx context.Context, show showFunc) error {
	stopped := context.AfterFunc(ctx, func() { _ = g.socket.SetReadDeadline(time.Unix(1, 0)) })
	defer stopped()
	buf := make([]byte, maxDatagram)
	for {
		n, info, err := g.socket.Receive(buf)
		r := &received{Datagram: input.Datagram{Time: time.Now(), Protocol: g.protocol, Data: buf[:n], Missing: max(0, info.Size-n)}}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, socket.ErrTruncated), isOverrun(err):
			r.err = err
		case err != nil:
			return err
		}
		r.nsid, r.hasNSID = info.NSID, info.HasNSID
		if err := show(r); err != nil {
			return err
		}
	}
}

// maxDatagram is the longest notification that is received. Notifications are built in
// buffers of a page or two (NLMSG_GOODSIZE); some families send up to 64 KiB.
const maxDatagram = 256 << 10

// errorText returns the text of an error, without characters that could affect a terminal.
func errorText(err error) string { return strings.Map(printableRune, err.Error()) }
