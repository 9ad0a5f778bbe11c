package socket

import (
	"os"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/guard"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestNoAllocs has a row for every call that moves datagrams, on sockets in the poller and
// outside. A row panics if its call fails, because a failing call proves nothing about
// allocations.
func TestNoAllocs(t *testing.T) {
	t.Run("direct", func(t *testing.T) { noAllocs(t, false) })
	t.Run("polled", func(t *testing.T) { noAllocs(t, true) })
}

func noAllocs(t *testing.T, polled bool, opts ...Option) {
	var sockets [3]*Socket
	for i, protocol := range []Protocol{Generic, UserSock, UserSock} {
		s, err := Open(protocol, opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		must(s.SetDeadline(time.Now().Add(guardTime)))
		if polled {
			_, err := s.SyscallConn()
			must(err)
		}
		sockets[i] = s
	}
	s, from, to := sockets[0], sockets[1], Addr{PortID: sockets[2].PortID()}
	req, buf := getFamily(1), make([]byte, BufferSize)
	batch := MakeBatch(3, 4096)
	roundTrip := func() {
		must(s.Send(req))
		_, _, err := s.Receive(buf)
		must(err)
	}
	rows := map[string]func(){
		"Socket.Send":    roundTrip,
		"Socket.Receive": roundTrip,
		"Socket.TryReceive": func() {
			if _, _, err := s.TryReceive(buf); err != ErrEmpty {
				panic(err)
			}
			must(s.Send(req))
			_, _, err := s.TryReceive(buf)
			must(err)
		},
		"Socket.SendTo": func() {
			must(from.SendTo(req, to))
			_, _, err := sockets[2].Receive(buf)
			must(err)
		},
		"Socket.TrySendTo": func() {
			must(from.TrySendTo(req, to))
			_, _, err := sockets[2].Receive(buf)
			must(err)
		},
		"Socket.ReceiveBatch": func() {
			for range batch {
				must(s.Send(req))
			}
			n, err := s.ReceiveBatch(batch)
			if err != nil || n != len(batch) {
				panic(n)
			}
			must(batch[0].Err)
		},
		"Socket.TryRoundTrip": func() {
			_, _, _, err := s.TryRoundTrip(req, buf)
			must(err)
		},
		"Socket.SendVec": func() {
			must(s.SendVec(req[:4], req[4:16], req[16:]))
			_, _, err := s.Receive(buf)
			must(err)
		},
		"Socket.Wait": func() {
			must(s.Send(req))
			must(s.Wait())
			_, _, err := s.TryReceive(buf)
			must(err)
		},
		"Socket.NextSize": func() {
			must(s.Send(req))
			_, err := s.NextSize()
			must(err)
			_, _, err = s.TryReceive(buf)
			must(err)
		},
		"Socket.ReadDeadline":     func() { _ = s.ReadDeadline() },
		"Socket.RepliesLate":      func() { _ = s.RepliesLate() },
		"Datagram.Bytes":          func() { _ = batch[0].Bytes() },
		"Protocol.String":         func() { _ = Generic.String() },
		"Socket.PortID":           func() { _ = s.PortID() },
		"Socket.Protocol":         func() { _ = s.Protocol() },
		"Socket.SetDeadline":      func() { must(s.SetDeadline(time.Now().Add(guardTime))) },
		"Socket.SetReadDeadline":  func() { must(s.SetReadDeadline(time.Time{})) },
		"Socket.SetWriteDeadline": func() { must(s.SetWriteDeadline(time.Now().Add(guardTime))) },
		"OpError.Unwrap":          func() { _ = (&OpError{}).Unwrap() },
	}
	if _, err := os.Stat("socket.go"); err == nil {
		guard.Allocs(t, rows, exempt) // checks that every call has a row
		return
	}
	for name, f := range rows { // for a test binary on a machine without the sources
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// exempt has the calls that run once per socket, or only on errors.
var exempt = map[string]string{
	"Open":                      "makes the socket",
	"Socket.Sibling":            "makes another",
	"MakeBatch":                 "makes the batch",
	"WithPortID":                "option of Open",
	"WithGroups":                "option of Open",
	"WithFlags":                 "option of Open",
	"WithReceiveBuffer":         "option of Open",
	"WithSendBuffer":            "option of Open",
	"WithFilter":                "option of Open",
	"WithGroupMask":             "option of Open",
	"WithoutBind":               "option of Open",
	"WithPreferredFlags":        "option of Open",
	"FromFD":                    "makes the socket",
	"Socket.Control":            "for options",
	"Socket.ForceReceiveBuffer": "option",
	"Socket.ForceSendBuffer":    "option",
	"WithNetNS":                 "option of Open",
	"Socket.Close":              "once",
	"Socket.SyscallConn":        "gives the poller's",
	"Socket.Join":               "a closure",
	"Socket.Leave":              "a closure",
	"Socket.Groups":             "gives a slice",
	"Socket.SetFlag":            "a closure",
	"Socket.Flag":               "a closure",
	"Socket.SetReceiveBuffer":   "a closure",
	"Socket.SetSendBuffer":      "a closure",
	"Socket.ReceiveBuffer":      "a closure",
	"Socket.SendBuffer":         "a closure",
	"Socket.Drops":              "a closure",
	"Socket.AttachFilter":       "copies the program",
	"Socket.DetachFilter":       "a closure",
	"Flag.String":               "for people",
	"OpError.Error":             "for people",
	"OpError.Is":                "for errors",
	"OpError.Timeout":           "for errors",
}

// A return after a system call is slow; see calls_linux.go.
func TestCallsAreInlined(t *testing.T) {
	if _, err := os.Stat("socket.go"); err != nil {
		t.Skip("needs the sources: ", err)
	}
	guard.Inlining(t, "sendto", "sendmsg", "recvfrom", "recvmsg", "sendError", "(*Socket).wrap")
}
