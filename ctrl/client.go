package ctrl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// What is wrong with a name, found before anything is sent.
var (
	ErrNameEmpty = errors.New("ctrl: a family's name has at least one byte")
	ErrNameLong  = errors.New("ctrl: a family's name has at most 15 bytes")
	ErrNameNUL   = errors.New("ctrl: a family's name has no NUL byte")
)

// Client asks the controller over a socket of its own. Many goroutines may use
// one; their requests take turns.
type Client struct {
	options []socket.Option

	mu   sync.Mutex // held for a whole request
	sock *socket.Socket
	seq  uint32
	buf  []byte // request, then the datagrams of the reply
}

// Open opens a socket to the controller; the options are the socket's, for
// instance its network namespace.
func Open(options ...socket.Option) (*Client, error) {
	c := &Client{options: options, buf: make([]byte, socket.BufferSize)}
	return c, c.open()
}

// open must be called with mu held, or before the Client is shared.
func (c *Client) open() (err error) {
	options := append([]socket.Option{socket.With(socket.ExtAck, socket.CapAck)}, c.options...)
	c.sock, err = socket.Open(protocolGeneric, options...)
	return err
}

// protocolGeneric is NETLINK_GENERIC of linux/netlink.h.
const protocolGeneric = 16

// Close closes the socket; a request under way fails.
func (c *Client) Close() error { return c.sock.Close() }

// Family returns the family of that name. An unknown one is an *Error with
// ENOENT; a name that no family can have is ErrNameEmpty, ErrNameLong or
// ErrNameNUL.
func (c *Client) Family(ctx context.Context, name string) (Family, error) {
	switch {
	case name == "":
		return Family{}, ErrNameEmpty
	case strings.IndexByte(name, 0) >= 0:
		return Family{}, fmt.Errorf("%w: %q", ErrNameNUL, name)
	case len(name) >= genlmsg.NameSize:
		return Family{}, fmt.Errorf("%w: %q has %d", ErrNameLong, name, len(name))
	}
	return c.one(ctx, fmt.Sprintf("family %q", name), func(b []byte) []byte {
		return nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	})
}

// FamilyByID returns the family with that id, the type of its messages. An
// unknown one is an *Error with ENOENT.
func (c *Client) FamilyByID(ctx context.Context, id uint16) (Family, error) {
	return c.one(ctx, fmt.Sprintf("family with id %d", id), func(b []byte) []byte {
		return nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, id)
	})
}

// Families returns all families of the socket's network namespace, by id.
func (c *Client) Families(ctx context.Context) ([]Family, error) {
	var all []Family
	none := func(b []byte) []byte { return b }
	err := c.request(ctx, "all families", nlmsg.Dump, none, func(m nlmsg.Msg) error {
		f, err := ParseFamily(m)
		all = append(all, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// one asks for one family.
func (c *Client) one(ctx context.Context, op string, attrs func([]byte) []byte) (f Family, err error) {
	err = c.request(ctx, op, 0, attrs, func(m nlmsg.Msg) (err error) {
		f, err = ParseFamily(m)
		return err
	})
	return f, err
}

// request sends a GETFAMILY and hands each message of the reply to f.
func (c *Client) request(ctx context.Context, op string, flags nlmsg.Flags, attrs func([]byte) []byte, f func(nlmsg.Msg) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ctrl: %s: %w", op, err)
	}
	done := c.wake(ctx)
	defer done()

	c.seq++
	b, mark := nlmsg.Begin(c.buf[:0], genlmsg.IDCtrl, nlmsg.Request|flags, c.seq, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nlmsg.End(attrs(b), mark)
	if err := c.sock.Send(b); err != nil {
		return fmt.Errorf("ctrl: %s: %w", op, err)
	}
	isDump := flags&nlmsg.Dump == nlmsg.Dump
	err := c.receive(op, isDump, f)
	if cause := ctx.Err(); cause != nil && err != nil {
		err = fmt.Errorf("ctrl: %s: %w", op, cause)
	}
	if isDump && err != nil {
		c.drain()
	}
	return err
}

// drain reads the rest of a dump that was given up: until it has ended, the
// kernel answers the next one on this socket with EBUSY.
func (c *Client) drain() {
	c.sock.SetReadDeadline(time.Now().Add(drainTimeout))
	_ = c.receive("", true, func(nlmsg.Msg) error { return nil })
	c.sock.SetReadDeadline(time.Time{})
}

// drainTimeout bounds drain: the kernel makes each datagram as the last one is
// read, so that it needs no time, but the end may have been read already.
const drainTimeout = 100 * time.Millisecond

// wake makes a receive under way fail when ctx ends. The function it returns
// must be called before the next request.
func (c *Client) wake(ctx context.Context) (done func()) {
	finished := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.sock.SetReadDeadline(time.Unix(1, 0))
		close(finished)
	})
	return func() {
		if !stop() {
			<-finished
			c.sock.SetReadDeadline(time.Time{})
		}
	}
}

// errLast ends a reply.
var errLast = errors.New("ctrl: the reply has ended")

// receive hands the messages that answer c.seq to f until the reply ends. What
// does not come from the kernel, and late replies to requests given up on, are
// dropped.
func (c *Client) receive(op string, isDump bool, f func(nlmsg.Msg) error) error {
	for {
		n, info, err := c.sock.Receive(c.buf)
		if err != nil {
			return fmt.Errorf("ctrl: %s: %w", op, err)
		}
		if info.PortID != 0 {
			continue
		}
		for m, err := range nlmsg.All(c.buf[:n]) {
			if err != nil {
				return fmt.Errorf("ctrl: %s: %w", op, err)
			}
			if m.Seq() != c.seq || m.PortID() != c.sock.PortID() {
				continue
			}
			switch err := c.handle(op, m, isDump, f); err {
			case nil:
			case errLast:
				return nil
			default:
				return err
			}
		}
	}
}

// handle takes one message of the reply; errLast says that it was the last.
func (c *Client) handle(op string, m nlmsg.Msg, isDump bool, f func(nlmsg.Msg) error) error {
	switch m.Type() {
	case nlmsg.Error:
		a, err := nlmsg.ParseAck(m)
		if err := answerError(op, a, err); err != nil {
			return err
		}
		return errLast
	case nlmsg.Done:
		a, err := nlmsg.ParseDone(m)
		if err := answerError(op, a, err); err != nil {
			return err
		}
		return errLast
	}
	if err := f(m); err != nil {
		return err
	}
	if isDump {
		return nil
	}
	return errLast
}
