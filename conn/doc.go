// Package conn runs netlink requests over a [Transport]: many goroutines at once,
// each answer to the one who asked, whatever else arrives.
//
//	 your goroutines      Do     Do     Batch        Dump          Subscription
//	                       \     |     /              |                |
//	                     +--------------+       +-----------+    +-----------+
//	 a Transport each    |   requests   |       |   dump    |    |  groups   |
//	                     +--------------+       +-----------+    +-----------+
//	=======================|==========================|================|=======
//	 kernel               handles each request        makes a list     tells of
//	                      within the send             as it is read    changes
//
// An answer is matched by its sequence number, and believed if it comes from the
// kernel:
//
//	 0         4      6       8        12       16
//	+---------+------+-------+--------+--------+-----------+
//	|   len   | type | flags |  seq   | portID | payload   |   of the answer
//	+---------+------+-------+--------+--------+-----------+
//	                             |        +-- the Transport's own
//	                             +----------- the request's
//
// # Index by job
//
//	make      Open; New, Transport, Dialer, WithDialer, WithBuffer, WithQueue,
//	          WithAnySender, WithWarnings
//	request   Conn.Request, Request.Release
//	ask       Conn.Do, Request.Reply, Replies, Warning
//	lists     Conn.Dump; Fail, Accept, Retry
//	batches   Conn.Batch, Request.Err
//	changes   Conn.Subscribe, Subscription.All, Resync, Info
//	errors    Error, LossError, ErrInterrupted, ErrOverrun, ErrTooMuch,
//	          ErrUnanswered, ErrNoDialer
//	watch     Conn.Stats
//	end       Conn.Close, Subscription.Close
//
// # What it does about faults
//
// An answer that comes too late, twice, or to nobody is dropped and counted, and
// so is whatever other processes send. A request that is given up, by its context
// or by leaving a loop, leaves the Conn as good as before. A loss is a [*LossError]
// for those whose answer may be lost. What the kernel says besides success is
// kept ([Request.Warning]).
//
// # Concurrency
//
// A [Conn] may be used by any number of goroutines at once, and starts none: those
// who wait for an answer receive, each for all. A [Request] and a [Subscription]
// are one goroutine's.
package conn
