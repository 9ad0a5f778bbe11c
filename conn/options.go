package conn

import (
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The limits of a Conn, unless options set others.
const (
	// DefaultLimit is how many requests and batches run at once. Far fewer do, but an
	// exchange whose goroutine is not scheduled has its Transport meanwhile: with 2,048
	// goroutines on 2 processors and a limit of 64 some wait for that.
	DefaultLimit = 512
	// DefaultDumpLimit is how many dumps run at once.
	DefaultDumpLimit = 16
	// DefaultIdle is how many idle Transports are kept, and DefaultUnused for how long.
	DefaultIdle   = 512
	DefaultUnused = 10 * time.Second
	// DefaultBuffer is the size in bytes of the longest datagram that is received.
	DefaultBuffer = 1 << 20
	// DefaultQueue is how many bytes are kept for an exchange.
	DefaultQueue = 16 << 20
)

// config is what the options add up to.
type config struct {
	socket    []socket.Option
	dial      Dialer
	limit     int
	dumps     int
	idle      int
	unused    time.Duration
	buffer    int
	queue     int
	anySender bool
	late      bool
	warn      func(*Error)
	unmatched func(nlmsg.Msg, socket.Info)
}

func defaults() config {
	return config{
		limit: DefaultLimit, dumps: DefaultDumpLimit, idle: DefaultIdle, unused: DefaultUnused,
		buffer: DefaultBuffer, queue: DefaultQueue,
	}
}

// Option changes how a Conn works.
type Option func(*config)

// WithSocket gives Open options of its sockets, which are applied in their order: buffers, a
// network namespace, flags. Sockets after the first have them but for groups and the port ID.
func WithSocket(options ...socket.Option) Option {
	return func(c *config) { c.socket = append(c.socket, options...) }
}

// WithDialer gives a Conn more Transports: one for each exchange at a time, and one for
// each pin and subscription. While dial fails, exchanges take turns on those that are
// open.
func WithDialer(dial Dialer) Option { return func(c *config) { c.dial = dial } }

// WithLimit sets how many requests and batches run at once, and how many dumps,
// [DefaultLimit] and [DefaultDumpLimit] if it is not given. Further ones wait for their
// turn, roughly in their order, as long as their context allows.
//
// A Transport that does not get on for a millisecond or two does not count: one in a
// send, where the kernel waits for a lock (rtnl), and one of a dump whose consumer is at
// work, which may be waiting for this Conn. The pool then grows, to 16 times the larger
// limit and 2,048 at most, or twice the limit if that is more. Where it cannot, the next exchange reads the rest of such a dump into
// memory, up to [WithQueue], and takes over its Transport, or fails with [ErrBusy].
func WithLimit(requests, dumps int) Option {
	return func(c *config) { c.limit, c.dumps = max(requests, 1), max(dumps, 1) }
}

// WithIdle sets how many idle Transports are kept, and after which time an idle one is
// closed, or twice that at most: [DefaultIdle] and [DefaultUnused] if it is not given. The
// first Transport stays open.
func WithIdle(transports int, unused time.Duration) Option {
	return func(c *config) { c.idle, c.unused = max(transports, 1), max(unused, time.Millisecond) }
}

// WithBuffer sets the size in bytes of the longest datagram that is received,
// [DefaultBuffer] if it is not given; a longer one is a loss ([socket.ErrTruncated]).
// Buffers belong to exchanges: an idle Conn has none, and one in use takes as much memory
// as the datagrams that were received into it.
func WithBuffer(bytes int) Option { return func(c *config) { c.buffer = max(bytes, 64) } }

// WithQueue limits how many bytes are kept for a request, for the rest of a dump, and for
// Subscription.All while exchanges run: [DefaultQueue] if it is not given. A request with more replies fails with
// [ErrTooMuch].
func WithQueue(bytes int) Option { return func(c *config) { c.queue = bytes } }

// WithAnySender accepts answers from every sender. Without it only the kernel
// is believed. It is for peers other than the kernel, over a Transport that
// sends to them.
func WithAnySender() Option { return func(c *config) { c.anySender = true } }

// WithLateReplies is for peers that reply after the send has returned, as NETLINK_AUDIT
// does, which is known to: an empty queue and an early acknowledgement then do not mean
// that there is no reply. See [Conn.Do] and [Conn.Dump].
func WithLateReplies() Option { return func(c *config) { c.late = true } }

// WithWarnings calls f with what the kernel reports besides success (see
// [Request.Warning]). f runs in the goroutine of the request, which has returned its
// Transport: f may use the Conn.
func WithWarnings(f func(*Error)) Option { return func(c *config) { c.warn = f } }

// WithUnmatched calls f with messages of the kernel that belong to no request: late or
// duplicated replies, and notifications. Datagrams of other processes are only counted. f
// runs in the goroutine of the exchange, after it, or for a dump between datagrams, and
// owns m. A Subscription delivers such messages in All instead.
func WithUnmatched(f func(m nlmsg.Msg, info socket.Info)) Option {
	return func(c *config) { c.unmatched = f }
}
