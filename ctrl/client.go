package ctrl

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Client sends requests to the controller over a Conn. Any number of goroutines may use it.
type Client struct {
	conn *conn.Conn
	own  bool // Close closes it
}

// New makes a Client over a Conn of NETLINK_GENERIC, for another network namespace or to
// share the Conn with requests to the families. The caller keeps the Conn and closes it.
func New(c *conn.Conn) *Client { return &Client{conn: c} }

// Open makes a Client with a private Conn, which [Client.Close] closes.
func Open() (*Client, error) {
	const protocolGeneric = 16 // NETLINK_GENERIC of linux/netlink.h
	c, err := conn.Open(protocolGeneric)
	if err != nil {
		return nil, err
	}
	return &Client{conn: c, own: true}, nil
}

// Close closes the Conn of Open; requests in progress fail with os.ErrClosed. It does not
// close a Conn passed to New.
func (c *Client) Close() error {
	if !c.own {
		return nil
	}
	return c.conn.Close()
}

// Conn returns the Conn that the Client uses.
func (c *Client) Conn() *conn.Conn { return c.conn }

// Family returns the family with a name. If no family has it, the error matches ErrUnknown
// and is a *conn.Error of ENOENT. Invalid names are refused with ErrNameEmpty, ErrNameLong
// or ErrNameNUL and are not sent.
func (c *Client) Family(ctx context.Context, name string) (Family, error) {
	switch {
	case name == "":
		return Family{}, ErrNameEmpty
	case strings.IndexByte(name, 0) >= 0:
		return Family{}, fmt.Errorf("%w: %q", ErrNameNUL, name)
	case len(name) >= genlmsg.NameSize:
		return Family{}, fmt.Errorf("%w: %q has %d", ErrNameLong, name, len(name))
	}
	r := c.request(genlmsg.CtrlCmdGetFamily)
	defer r.Release()
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	m, err := c.conn.Do(ctx, r)
	if err != nil {
		return Family{}, lookupError(strconv.Quote(name), err)
	}
	return ParseFamily(m)
}

// FamilyByID returns the family with an id, which is the type of its messages. If no family
// has it, the error matches ErrUnknown and is a *conn.Error of ENOENT.
func (c *Client) FamilyByID(ctx context.Context, id nlmsg.Type) (Family, error) {
	r := c.request(genlmsg.CtrlCmdGetFamily)
	defer r.Release()
	r.B = nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, uint16(id))
	m, err := c.conn.Do(ctx, r)
	if err != nil {
		return Family{}, lookupError("with id "+strconv.Itoa(int(id)), err)
	}
	return ParseFamily(m)
}

// Families returns all families of the Conn's network namespace, ordered by id.
func (c *Client) Families(ctx context.Context) ([]Family, error) {
	r := c.request(genlmsg.CtrlCmdGetFamily)
	defer r.Release()
	var all []Family
	for m, err := range c.conn.Dump(ctx, r, conn.Retry(retries, func() { all = nil })) {
		if err != nil {
			return nil, fmt.Errorf("ctrl: list of families: %w", err)
		}
		f, err := ParseFamily(m)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// retries is the maximum number of repetitions of a dump that the kernel marks as
// inconsistent.
const retries = 3

// request returns a request to the controller without attributes.
func (c *Client) request(cmd uint8) *conn.Request {
	var header [genlmsg.HeaderLen]byte
	r := c.conn.Request(genlmsg.IDCtrl, nlmsg.FlagRequest, genlmsg.Append(header[:0], cmd, genlmsg.CtrlVersion))
	r.Op = "request to nlctrl"
	return r
}
