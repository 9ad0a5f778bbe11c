package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/bench/input"
)

// In the case "latency", goroutines send requests over one connection. HeaderLen of the input is the
// number of goroutines. The time of an operation is the 99th percentile of the request times.

// latencyRequests is the number of requests in an operation.
const latencyRequests = 50_000

func latency(goroutines int, do func() (uint64, error)) task {
	var p99 time.Duration
	return task{
		check: do,
		run: func(n int) (sum uint64, err error) {
			for range n {
				v, times, err := parallel(goroutines, do)
				if err != nil {
					return 0, err
				}
				sum += v
				slices.Sort(times)
				p99 = times[len(times)*99/100]
			}
			return sum, nil
		},
		took: func() time.Duration { return p99 },
	}
}

// parallel runs do in the goroutines. It returns the sum of the results and the time of each request.
func parallel(goroutines int, do func() (uint64, error)) (uint64, []time.Duration, error) {
	var wg sync.WaitGroup
	var sum atomic.Uint64
	times := make([]time.Duration, latencyRequests/goroutines*goroutines)
	errs := make([]error, goroutines)
	each := len(times) / goroutines
	for g := range goroutines {
		wg.Go(func() {
			for i := g * each; i < (g+1)*each; i++ {
				start := time.Now()
				v, err := do()
				if err != nil {
					errs[g] = err
					return
				}
				times[i] = time.Since(start)
				sum.Add(v)
			}
		})
	}
	wg.Wait()
	return sum.Load(), times, errors.Join(errs...)
}

func latencyNlwire(in *input.Set) (task, error) {
	do, err := doer()
	return latency(in.HeaderLen, do), err
}

// latencyOneSocket protects one socket with a lock.
func latencyOneSocket(in *input.Set) (task, error) {
	do, err := socketDoer()
	var mu sync.Mutex
	return latency(in.HeaderLen, func() (uint64, error) {
		mu.Lock()
		defer mu.Unlock()
		return do()
	}), err
}

func latencyMdlayher(in *input.Set) (task, error) {
	do, err := doerMdlayher()
	return latency(in.HeaderLen, do), err
}

func latencyVishvananda(in *input.Set) (task, error) {
	do, err := doerVishvananda()
	return latency(in.HeaderLen, do), err
}
