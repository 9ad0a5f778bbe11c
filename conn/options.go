package conn

import (
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The default limits of a Conn.
const (
	// DefaultLimit is the maximum number of concurrent requests and batches. It is far
	// above the number that makes progress at once, because an exchange keeps its Transport
	// while its goroutine is not scheduled.
	DefaultLimit = 512
	// DefaultDumpLimit is the maximum number of concurrent dumps.
	DefaultDumpLimit = 16
	// DefaultIdle is the maximum number of idle Transports, DefaultUnused the time after
	// which an idle one is closed.
	DefaultIdle   = 512
	DefaultUnused = 10 * time.Second
	// DefaultBuffer is the size in bytes of the longest datagram that can be received.
	DefaultBuffer = 1 << 20
	// DefaultQueue is the number of bytes that are kept for an exchange.
	DefaultQueue = 16 << 20
)

// config is the result of the options.
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

// Option configures a Conn.
type Option func(*config)

// WithSocket passes options to the sockets of Open, applied in their order: buffers, a
// network namespace, flags. Sockets after the first get the same options, except for groups
// and the port ID.
func WithSocket(options ...socket.Option) Option {
	return func(c *config) { c.socket = append(c.socket, options...) }
}

// WithDialer lets a Conn open further Transports: one for each concurrent exchange, and one
// for each pin and subscription. While dial fails, exchanges take turns on the open ones.
func WithDialer(dial Dialer) Option { return func(c *config) { c.dial = dial } }

// WithLimit sets the maximum number of concurrent requests and batches, and of concurrent
// dumps. The defaults are [DefaultLimit] and [DefaultDumpLimit]. Further exchanges wait
// until their context ends, approximately in order of arrival.
//
// A Transport without progress for one or two milliseconds does not count. It may be inside
// a send, where the kernel waits for a lock (rtnl), or belong to a dump whose loop body
// runs and may itself wait for this Conn. The pool then grows: to 16 times the larger limit
// and at most 2,048 Transports, or to twice the limit if that is more. If the pool cannot
// grow, the next exchange reads the rest of such a dump into memory, up to [WithQueue], and
// takes over its Transport. If the rest is larger, the exchange fails with [ErrBusy].
func WithLimit(requests, dumps int) Option {
	return func(c *config) { c.limit, c.dumps = max(requests, 1), max(dumps, 1) }
}

// WithIdle sets the maximum number of idle Transports, and the time after which an idle one
// is closed. Closing may take up to twice that time. The defaults are [DefaultIdle] and
// [DefaultUnused]. The first Transport stays open.
func WithIdle(transports int, unused time.Duration) Option {
	return func(c *config) { c.idle, c.unused = max(transports, 1), max(unused, time.Millisecond) }
}

// WithBuffer sets the size in bytes of the longest datagram that can be received. The
// default is [DefaultBuffer]. A longer datagram is a loss ([socket.ErrTruncated]). Buffers
// belong to exchanges: an idle Conn holds none, and a buffer in use takes as much memory as
// the datagrams received into it.
func WithBuffer(bytes int) Option { return func(c *config) { c.buffer = max(bytes, 64) } }

// WithQueue limits the bytes that are kept for a request, for the rest of a dump, and for
// Subscription.All while exchanges run. The default is [DefaultQueue]. A request with more
// replies fails with [ErrTooMuch].
func WithQueue(bytes int) Option { return func(c *config) { c.queue = bytes } }

// WithAnySender accepts answers from every sender. Without it, only the kernel is trusted.
// It is for peers other than the kernel, over a Transport that sends to them.
func WithAnySender() Option { return func(c *config) { c.anySender = true } }

// WithLateReplies is for peers that reply after the send has returned. NETLINK_AUDIT does
// so, and needs no option. For such peers an empty queue or an early acknowledgement does
// not mean that no reply follows. See [Conn.Do] and [Conn.Dump].
func WithLateReplies() Option { return func(c *config) { c.late = true } }

// WithWarnings calls f with the text or cookie that the kernel adds to a success (see
// [Request.Warning]). f runs in the goroutine of the request, after the request has
// returned its Transport: f may use the Conn.
func WithWarnings(f func(*Error)) Option { return func(c *config) { c.warn = f } }

// WithUnmatched calls f with messages of the kernel that belong to no request: late or
// duplicated replies, and notifications. Datagrams of other processes are only counted. f
// runs in the goroutine of the exchange, after the exchange, or between datagrams in the
// case of a dump. f owns m. A Subscription delivers such messages in All instead.
func WithUnmatched(f func(m nlmsg.Msg, info socket.Info)) Option {
	return func(c *config) { c.unmatched = f }
}
