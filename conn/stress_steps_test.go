package conn

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
)

// stressWorker is a goroutine of the stress test.
type stressWorker struct {
	*stress
	*rand.Rand
	c       *Conn
	target  *stressTarget
	number  uint32
	made    int
	allowed error        // error that every exchange may return, nil: none
	started atomic.Int64 // start time of the current exchange, 0 if there is none
}

// chance returns true once in n times.
func (w *stressWorker) chance(n int) bool { return w.IntN(n) == 0 }

// begin and end surround an exchange of n requests.
func (w *stressWorker) begin() { w.started.Store(time.Now().UnixNano()) }

func (w *stressWorker) end(n int) {
	w.started.Store(0)
	w.made += n
	w.requests.Add(int64(n))
}

// step makes one request or several.
func (w *stressWorker) step() {
	switch n := w.IntN(2000); {
	case n < 1500:
		w.do(context.Background(), noFault, nil)
	case n < 1700:
		w.doFaulty()
	case n < 1800:
		w.doCancelled()
	case n < 1860:
		w.doLate()
	case n < 1960:
		w.batch()
	case w.target.list == nil:
	case n < 1972:
		w.dump(noFault, nil)
	case n < 1978:
		w.dump(w.fault(faultEarlier, faultForeign, faultEINTR, faultENOBUFS, faultSend, faultBusInterrupt, faultBusForge), nil)
	case n < 1984:
		w.events[eventAbandon].Add(1)
		w.dump(noFault, func(i int) bool { return i < w.IntN(2*w.target.listed) })
	case n < 1988:
		w.panicking()
	case n < 1998:
		w.nesting()
	default:
		w.dumpCancelled()
	}
}

// fault returns a fault of the list that can be injected here.
func (w *stressWorker) fault(list ...stressEvent) stressEvent {
	if f := list[w.IntN(len(list))]; f < w.target.faults {
		return f
	}
	return noFault
}

// next returns the value of the next request, and its flags.
func (w *stressWorker) next(fault stressEvent) (value uint32, flags nlmsg.Flags) {
	w.number++
	if w.chance(8) {
		flags = nlmsg.FlagAck
	}
	return stressValue(fault, w.number), flags
}

// judge counts an exchange that failed without a reason.
func (w *stressWorker) judge(what string, fault stressEvent, err error, mayEnd bool) {
	isAllowed := err == nil || w.allowed != nil && errors.Is(err, w.allowed) || mayEnd && isEnd(err) || fault >= faultENOBUFS
	if !isAllowed {
		w.report(&w.lost, "%s over %s with %s: %v", what, w.target.name, eventNames[fault], err)
	}
}

// do makes one request. If during is not nil, it ends the context of the request at some
// time.
func (w *stressWorker) do(ctx context.Context, fault stressEvent, during func(r *Request)) {
	value, flags := w.next(fault)
	r := w.target.ask(w.c, flags, value)
	defer r.Release()
	w.begin()
	if during != nil {
		during(r)
	}
	m, err := w.c.Do(ctx, r)
	w.end(1)
	w.judge("request", fault, err, during != nil)
	switch {
	case err != nil:
	case m != nil && !w.target.answer(m, value):
		w.report(&w.wrong, "request %#x over %s: the reply is %x", value, w.target.name, []byte(m))
	case m == nil && fault < faultENOBUFS:
		w.report(&w.lost, "request %#x over %s with %s: no reply", value, w.target.name, eventNames[fault])
	}
}

func (w *stressWorker) doFaulty() {
	fault := noFault + 1 + stressEvent(w.IntN(int(numFaults-1)))
	if fault >= w.target.faults {
		fault = noFault
	}
	if fault == faultStuck && !w.chance(20) {
		fault = noFault // these are slow
	}
	w.do(context.Background(), fault, nil)
}

func (w *stressWorker) doCancelled() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.events[eventCancel].Add(1)
	yields := w.IntN(4)
	w.do(ctx, noFault, func(*Request) {
		if yields == 0 {
			cancel()
			return
		}
		go func() {
			for range yields - 1 {
				w.c.Stats()
			}
			cancel()
		}()
	})
}

// doLate makes a request with a deadline.
func (w *stressWorker) doLate() {
	w.events[eventDeadline].Add(1)
	d := time.Duration(w.IntN(200)) * time.Microsecond
	ctx := context.Background()
	isContext := w.chance(2)
	if isContext {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	w.do(ctx, noFault, func(r *Request) {
		if !isContext {
			r.Deadline = time.Now().Add(d)
		}
	})
}

func (w *stressWorker) batch() {
	requests, values := make([]*Request, 1+w.IntN(8)), make([]uint32, 8)
	for i := range requests {
		values[i], _ = w.next(noFault)
		requests[i] = w.target.ask(w.c, nlmsg.FlagAck, values[i])
		defer requests[i].Release()
	}
	w.begin()
	err := w.c.Batch(context.Background(), requests...)
	w.end(len(requests))
	w.judge("batch", noFault, err, false)
	if err != nil {
		return
	}
	for i, r := range requests {
		if m := r.Reply(); m == nil || !w.target.answer(m, values[i]) {
			w.report(&w.wrong, "request %d of %d in a batch, %#x: the reply is %x", i, len(requests), values[i], []byte(m))
		}
	}
}

// dump makes a list. The loop is left if body returns false.
func (w *stressWorker) dump(fault stressEvent, body func(i int) bool) {
	w.dumpUntil(context.Background(), fault, false, body)
}

func (w *stressWorker) dumpUntil(ctx context.Context, fault stressEvent, mayEnd bool, body func(i int) bool) {
	value, _ := w.next(fault)
	r := w.target.list(w.c, value)
	defer r.Release()
	n, isLeft := 0, false
	w.begin()
	defer func() { w.end(1) }()
	for m, err := range w.c.Dump(ctx, r) {
		if err != nil {
			w.judge("dump", fault, err, mayEnd)
			return
		}
		if !w.target.inList(m, value) {
			w.report(&w.wrong, "dump %#x over %s: %x", value, w.target.name, []byte(m))
		}
		n++
		if body != nil && !body(n) {
			isLeft = true
			break
		}
	}
	if !isLeft && n != w.target.listed && fault < faultENOBUFS {
		w.report(&w.lost, "dump over %s with %s: %d messages of %d", w.target.name, eventNames[fault], n, w.target.listed)
	}
}

// panicking makes a list, and the body of its loop panics.
func (w *stressWorker) panicking() {
	w.events[eventPanic].Add(1)
	at := 1 + w.IntN(w.target.listed)
	defer func() {
		if v := recover(); v != nil && v != any(at) {
			panic(v)
		}
	}()
	w.dump(noFault, func(i int) bool {
		if i == at {
			panic(at)
		}
		return true
	})
}

// nesting makes a list. The body of its loop makes requests, and sometimes another list.
func (w *stressWorker) nesting() {
	at, isList := 1+w.IntN(w.target.listed), w.chance(8)
	w.dump(noFault, func(i int) bool {
		switch {
		case i == at && isList:
			w.events[eventNested].Add(1)
			w.dump(noFault, nil)
		case i >= at && i < at+3:
			w.events[eventNested].Add(1)
			w.do(context.Background(), noFault, nil)
		}
		w.begin() // the dump continues
		return true
	})
}

// dumpCancelled makes a list, and its context ends.
func (w *stressWorker) dumpCancelled() {
	w.events[eventCancel].Add(1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := w.IntN(w.target.listed)
	w.dumpUntil(ctx, noFault, true, func(i int) bool {
		if i >= at {
			cancel()
		}
		return true
	})
}
