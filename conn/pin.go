package conn

import (
	"context"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
)

// Pin is a single Transport of a Conn, and therefore one port ID. It is for state that the
// kernel binds to a socket and removes with it: netdev bind-rx, interfaces and scans that
// an nl80211 socket owns (NL80211_ATTR_SOCKET_OWNER), nftables tables with an owner
// (NFT_TABLE_F_OWNER), radios of mac80211_hwsim (HWSIM_ATTR_DESTROY_RADIO_ON_CLOSE). It
// stays open until the Pin or the Conn is closed.
//
// Exchanges take turns on it, as on a Conn with one Transport. [WithLimit] describes
// exchanges in the body of a dump. Any number of goroutines may use a Pin at once.
type Pin struct {
	single
	from *Conn // nil: the Pin shares the only Transport of its Conn
}

// Pin returns a Pin with a new Transport. Without a Dialer, the Pin shares the only
// Transport of the Conn with other exchanges.
func (c *Conn) Pin() (*Pin, error) {
	if !c.isOpen() {
		return nil, errZero
	}
	if c.conf.dial == nil {
		return &Pin{single: single{c}}, nil
	}
	child, err := c.child()
	if err != nil {
		return nil, err
	}
	return &Pin{single: single{child}, from: c}, nil
}

// Close closes the Transport, and the kernel removes the state that is bound to it. If the
// Conn has no Dialer, the Transport stays open.
func (p *Pin) Close() error {
	if p.from == nil {
		return nil
	}
	return p.from.closeChild(p.own)
}

// single runs exchanges on one Transport.
type single struct{ own *Conn }

// Request is [Conn.Request]. A request of the Conn can be used too.
func (s *single) Request(typ nlmsg.Type, flags nlmsg.Flags, header []byte) *Request {
	return s.own.Request(typ, flags, header)
}

// Do is [Conn.Do] on this Transport.
func (s *single) Do(ctx context.Context, r *Request) (nlmsg.Msg, error) { return s.own.Do(ctx, r) }

// Batch is [Conn.Batch] on this Transport.
func (s *single) Batch(ctx context.Context, requests ...*Request) error {
	return s.own.Batch(ctx, requests...)
}

// Dump is [Conn.Dump] on this Transport.
func (s *single) Dump(ctx context.Context, r *Request, on ...Interrupted) iter.Seq2[nlmsg.Msg, error] {
	return s.own.Dump(ctx, r, on...)
}

// Send sends a datagram unchanged. It may be called while exchanges run, and returns when
// the kernel has handled the datagram. Replies to it are unmatched messages
// (WithUnmatched); a Subscription delivers them in All.
func (s *single) Send(b []byte) error {
	if !s.own.isOpen() {
		return errZero
	}
	return s.Transport().Send(b)
}

// Transport returns the Transport, for options and its port ID. It is nil for a zero Pin or
// Subscription. A caller that receives from it takes replies away from exchanges.
func (s *single) Transport() Transport {
	if !s.own.isOpen() {
		return nil
	}
	return s.own.pool.first.t
}
