package socket

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// argument makes an argument for each type that a method of Socket takes.
func argument(t *testing.T, typ reflect.Type) reflect.Value {
	t.Helper()
	for _, v := range []any{
		make([]byte, 16), [][]byte{make([]byte, 16)}, Addr{PortID: 1}, []Datagram{{Buf: make([]byte, 16)}}, PacketInfo,
		true, 1, uint32(1), time.Now().Add(time.Hour), []Instruction{{Op: 6, K: 1}},
		func(fd int) error { t.Errorf("called with descriptor %d", fd); return nil },
	} {
		if reflect.TypeOf(v) == typ {
			return reflect.ValueOf(v)
		}
	}
	t.Fatalf("no argument of type %v", typ)
	return reflect.Value{}
}

// methodErrors calls every exported method of s and returns the errors by name. It also
// calls the methods without an error result.
func methodErrors(t *testing.T, s *Socket) map[string]error {
	all := map[string]error{}
	withoutError := map[string]bool{"PortID": true, "Protocol": true, "RepliesLate": true, "ReadDeadline": true}
	v := reflect.ValueOf(s)
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		args := make([]reflect.Value, method.Type().NumIn())
		for k := range args {
			args[k] = argument(t, method.Type().In(k))
		}
		call := method.Call
		if method.Type().IsVariadic() {
			call = method.CallSlice
		}
		results := call(args)
		err, ok := results[len(results)-1].Interface().(error)
		if ok == withoutError[name] {
			t.Errorf("%s: %v, want an error: %v", name, err, !withoutError[name])
		}
		if ok {
			all[name] = err
		}
	}
	return all
}

// checkZero checks the errors of the zero Socket, which must match want.
func checkZero(t *testing.T, want error) {
	var s Socket
	all := methodErrors(t, &s)
	for name, err := range all {
		var e *OpError
		if !errors.Is(err, want) || !errors.As(err, &e) || e.Protocol != unknownProtocol || e.Hint == "" && want == os.ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := s.ReceiveBatch(nil); n != 0 || !errors.Is(err, want) {
		t.Errorf("ReceiveBatch of nothing: %d, %v", n, err)
	}
	if id, late, until := s.PortID(), s.RepliesLate(), s.ReadDeadline(); id != 0 || late || !until.IsZero() {
		t.Errorf("port ID %d, replies late %v, deadline %v", id, late, until)
	}
	if want == os.ErrClosed {
		const text = "netlink: sendto: file already closed: the zero Socket is not open: make one with Open or FromFD"
		if got := all["Send"].Error(); got != text {
			t.Errorf("error text %q, want %q", got, text)
		}
		return
	}
	if got := all["Close"].Error(); !strings.HasPrefix(got, "netlink: close: ") {
		t.Errorf("error text %q", got)
	}
}
