// Package conn sends netlink requests and collects their answers. Any number of goroutines
// may use it at once: each exchange has a Transport to itself until it ends.
//
//	 goroutines       Do      Batch     Dump        Pin      Subscription
//	                   |        |         |          |            |
//	                 +----------------------+     +-----+      +-----+
//	 Transports      |  a pool: each serves |     | one |      | one |
//	                 |  one exchange        |     +-----+      +-----+
//	                 +----------------------+        |            |
//	===================|========|=========|==========|============|=======
//	 kernel          handles requests     builds a   binds state  sends
//	                 during the send      list while to a socket  notifications
//	                                      it is read
//
// A message answers a request if the kernel sent it and its numbers match the request:
//
//	 0         4      6       8        12       16
//	+---------+------+-------+--------+--------+-----------+
//	|   len   | type | flags |  seq   | portID | payload   |
//	+---------+------+-------+--------+--------+-----------+
//	                             |        +-- that of the Transport, or 0
//	                             +----------- that of the request
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
// # States of an exchange
//
// Do, Batch and each attempt of Dump are exchanges. An exchange waits for a Transport,
// holds it alone, and returns it:
//
//	         none is free           its turn           answer complete,
//	         and none can           has come           or given up
//	start  -------------> waiting -----------> holding ---------------> ended
//	  |                      |                    ^
//	  |                      +-- its context ended, or Close ---------> ended
//	  |                                           |
//	  +-- one is idle, or another can be opened --+
//
// An exchange that holds a Transport sends, then receives until its answer is complete. It
// is given up if its context ends, a system call fails, or the loop of a dump is left
// early.
//
// # States of a Transport
//
// The first Transport of a pool starts idle. Each further one is in use from the moment an
// exchange opens it:
//
//	           an exchange takes it           body of a dump's loop runs
//	+------+ -----------------------> +--------+ -------------------> +--------+
//	| idle |                          | in use |                      | parked |
//	+------+ <----------------------- +--------+ <------------------- +--------+
//	   |             clean end         |    |  ^    loop continues, or another
//	   | unused                        |    |  |    exchange takes it over
//	   v              unclean end      |    |  | no other can be opened
//	closed <---------------------------+    v  |
//	                                    set aside (the first one)
//
// An end is clean if no further reply to the exchange can arrive. After an unclean end the
// Transport is closed, so that a late reply cannot reach another caller. The first
// Transport is set aside instead, because the Dialer may need it. Where there is only one
// Transport (no Dialer), it becomes idle after every end: exchanges take turns, and the
// next one discards leftover replies.
//
// A parked Transport serves its dump unless another exchange needs it. That exchange reads
// the rest of the list into memory for the dump and keeps the Transport.
//
// # States of a Subscription
//
// The loop of [Subscription.All] and the exchanges of a Subscription share one Transport:
//
//	         the body of the loop begins
//	held ----------------------------------> lent
//	 ^   <----------------------------------  |
//	 |       the body has ended               | an exchange takes the Transport
//	 | an exchange needs the Transport        v
//	 +------------------------------------> wanted
//
// The loop holds the Transport while it receives and lends it while its body runs. An
// exchange that takes a lent Transport keeps it until it ends. An exchange that needs a
// held Transport interrupts a waiting loop; the loop gives the Transport up before its next
// body. Afterwards the loop waits for the Transport like an exchange, and holds it again.
//
// # Faults
//
// Messages of other processes and late or duplicated replies are dropped and counted. A
// loss is reported as a [*LossError] to the exchange whose reply may be lost, and to no
// other. Text and cookies that the kernel adds to a success are kept ([Request.Warning]).
//
// # Concurrency
//
// Any number of goroutines may use a [Conn] and a [Pin] at once. The package keeps no
// permanent goroutines: short ones run when a timer of the pool fires or a context ends. A
// [Request] is used by one goroutine at a time, and so is [Subscription.All].
package conn
