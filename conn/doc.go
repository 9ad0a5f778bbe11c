// Package conn runs netlink requests: many goroutines at once, each with a Transport of
// its own for as long as its exchange lasts.
//
//	 goroutines       Do      Batch     Dump        Pin      Subscription
//	                   |        |         |          |            |
//	                 +----------------------+     +-----+      +-----+
//	 Transports      |  a pool: one for an  |     | one |      | one |
//	                 |  exchange at a time  |     +-----+      +-----+
//	                 +----------------------+        |            |
//	===================|========|=========|==========|============|=======
//	 kernel          handles requests     makes a    keeps state  sends
//	                 within the send      list as    with a       notifications
//	                                      it is read socket
//
// A message answers a request if the kernel sent it, with the numbers of the request:
//
//	 0         4      6       8        12       16
//	+---------+------+-------+--------+--------+-----------+
//	|   len   | type | flags |  seq   | portID | payload   |
//	+---------+------+-------+--------+--------+-----------+
//	                             |        +-- the Transport's own, or 0
//	                             +----------- the request's
//
// # Index by task
//
//	make      Open; New, Transport, Dialer, WithDialer
//	limits    WithLimit, WithIdle, WithBuffer, WithQueue
//	peers     WithAnySender, WithLateReplies
//	options   Conn.Configure, Conn.SetFlag
//	request   Conn.Request, Request.Release
//	do        Conn.Do, Request.Reply, Replies, Take, Last, Warning
//	list      Conn.Dump; Fail, Accept, Retry
//	batch     Conn.Batch, Request.Err
//	notice    Conn.Subscribe, Subscription.All, Resync, Info
//	port      Conn.Pin; Pin and Subscription have Do, Dump, Batch, Send, Transport
//	errors    Error, LossError, ErrInterrupted, ErrOverrun, ErrTooMuch,
//	          ErrUnanswered, ErrBusy, ErrBatchSize, ErrRequest, ErrNoDialer,
//	          ErrClosed, ErrClosedWaiting
//	observe   Conn.Stats, WithWarnings, WithUnmatched
//	end       Conn.Close, Pin.Close, Subscription.Close
//
// # States
//
// A Transport of the pool is idle, in use by one exchange, or parked while the body of
// a dump's loop runs. An exchange that ends well makes its Transport idle. One that is
// given up, by its context or by leaving a loop, has its Transport closed (the first one
// is set aside): a late reply cannot reach another caller. Where there is only one Transport, exchanges take turns,
// and the next one discards the remains.
//
// # Faults
//
// Messages of other processes, late and duplicated replies are dropped and counted. A
// loss is a [*LossError] for the exchange whose reply may be lost, and for no other. What
// the kernel reports besides success is kept ([Request.Warning]).
//
// # Concurrency
//
// A [Conn] and a [Pin] may be used by any number of goroutines at once. They keep none:
// short ones run when a timer of the pool fires or a context ends. A [Request] is used by
// one goroutine at a time, a [Subscription]'s All too.
package conn
