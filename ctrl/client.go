package ctrl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

var (
	// ErrUnknown is in the error for a family that the kernel does not have,
	// besides ENOENT.
	ErrUnknown = errors.New("ctrl: the kernel has no such family; is its module loaded?")

	// What is wrong with a name, found before anything is sent.
	ErrNameEmpty = errors.New("ctrl: a family's name has at least one byte")
	ErrNameLong  = errors.New("ctrl: a family's name has at most 15 bytes")
	ErrNameNUL   = errors.New("ctrl: a family's name has no NUL byte")
)

// Client asks the controller over a Conn. Many goroutines may use one.
type Client struct {
	conn *conn.Conn
	own  bool // Close closes it
}

// New makes a Client over a Conn of NETLINK_GENERIC, which stays the caller's:
// for a network namespace, or to send the requests to the families over the same
// Conn.
func New(c *conn.Conn) *Client { return &Client{conn: c} }

// Open makes a Client with a Conn of its own.
func Open() (*Client, error) {
	const protocolGeneric = 16 // NETLINK_GENERIC of linux/netlink.h
	c, err := conn.Open(protocolGeneric)
	if err != nil {
		return nil, err
	}
	return &Client{conn: c, own: true}, nil
}

// Close closes the Conn that Open made; requests under way fail with
// os.ErrClosed. It does nothing to the Conn of New.
func (c *Client) Close() error {
	if !c.own {
		return nil
	}
	return c.conn.Close()
}

// Conn returns what the Client asks over.
func (c *Client) Conn() *conn.Conn { return c.conn }

// Family returns the family of that name. An unknown one is ErrUnknown, with a
// *conn.Error of ENOENT; a name that no family can have is ErrNameEmpty,
// ErrNameLong or ErrNameNUL.
func (c *Client) Family(ctx context.Context, name string) (Family, error) {
	switch {
	case name == "":
		return Family{}, ErrNameEmpty
	case strings.IndexByte(name, 0) >= 0:
		return Family{}, fmt.Errorf("%w: %q", ErrNameNUL, name)
	case len(name) >= genlmsg.NameSize:
		return Family{}, fmt.Errorf("%w: %q has %d", ErrNameLong, name, len(name))
	}
	r := c.getFamily()
	defer r.Release()
	r.Op = "family " + strconv.Quote(name)
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	return c.one(ctx, r)
}

// FamilyByID returns the family with that id, the type of its messages. An
// unknown one is ErrUnknown, with a *conn.Error of ENOENT.
func (c *Client) FamilyByID(ctx context.Context, id uint16) (Family, error) {
	r := c.getFamily()
	defer r.Release()
	r.Op = "family with id " + strconv.Itoa(int(id))
	r.B = nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, id)
	return c.one(ctx, r)
}

// Families returns all families of the Conn's network namespace, by id.
func (c *Client) Families(ctx context.Context) ([]Family, error) {
	r := c.getFamily()
	defer r.Release()
	r.Op = "all families"
	var all []Family
	for m, err := range c.conn.Dump(ctx, r, conn.Retry(retries, func() { all = nil })) {
		if err != nil {
			return nil, err
		}
		f, err := ParseFamily(m)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// retries is how often a list is asked for again that changed meanwhile.
const retries = 3

func (c *Client) getFamily() *conn.Request {
	var header [genlmsg.HeaderLen]byte
	return c.conn.Request(genlmsg.IDCtrl, nlmsg.Request,
		genlmsg.Append(header[:0], genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
}

// one asks for one family.
func (c *Client) one(ctx context.Context, r *conn.Request) (Family, error) {
	m, err := c.conn.Do(ctx, r)
	if errors.Is(err, syscall.ENOENT) {
		return Family{}, fmt.Errorf("%w (%w)", ErrUnknown, err)
	}
	if err != nil {
		return Family{}, err
	}
	return ParseFamily(m)
}
