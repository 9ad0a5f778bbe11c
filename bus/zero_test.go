package bus

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// argument makes an argument of the given type for a method.
func argument(t *testing.T, typ reflect.Type) reflect.Value {
	t.Helper()
	for _, v := range []any{
		noop(), []PortOption{WithPortID(1)}, &Family{Name: "f"}, socket.ExtAck, nlmsg.FlagMulti,
		true, 0, uint8(1), uint32(1), time.Now().Add(time.Hour),
	} {
		if reflect.TypeOf(v) == typ {
			return reflect.ValueOf(v)
		}
	}
	t.Fatalf("no argument of type %v", typ)
	return reflect.Value{}
}

// methodErrors calls every exported method of v and returns the errors by method name.
func methodErrors(t *testing.T, v any) map[string]error {
	all := map[string]error{}
	value := reflect.ValueOf(v)
	for i := range value.NumMethod() {
		method := value.Method(i)
		args := make([]reflect.Value, method.Type().NumIn())
		for k := range args {
			args[k] = argument(t, method.Type().In(k))
		}
		call := method.Call
		if method.Type().IsVariadic() {
			call = method.CallSlice
		}
		results := call(args)
		if last := results[len(results)-1]; last.Type() == reflect.TypeFor[error]() {
			all[value.Type().Method(i).Name], _ = last.Interface().(error)
		}
	}
	return all
}

// Methods of zero values do not panic, and every method that can fail returns an error.
func TestZeroValues(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value any
		min   int // minimum number of methods that return an error
		want  error
		other map[string]error
	}{
		{"Port", &Port{}, 15, errZeroPort, nil},
		{"Bus", &Bus{}, 5, errZeroBus, map[string]error{"Unregister": errno.ENOENT}},
		{"Family", &Family{}, 1, errNotRegistered, nil},
	} {
		all := methodErrors(t, tt.value)
		if len(all) < tt.min {
			t.Errorf("%s: %d methods return an error, want %d or more", tt.name, len(all), tt.min)
		}
		for method, err := range all {
			want := tt.want
			if other, ok := tt.other[method]; ok {
				want = other
			}
			if !errors.Is(err, want) || want != errNotRegistered && want != errno.ENOENT && !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s.%s: %v, want %v", tt.name, method, err, want)
			}
		}
	}
	var p Port
	var f Family
	if p.PortID() != 0 || !p.ReadDeadline().IsZero() || f.ID() != 0 || f.GroupID(0) != 0 || f.HasListeners(0) || (&Bus{}).Stats() != (Stats{}) {
		t.Error("a zero value has an ID, a deadline, a group or counters")
	}
}

// After Close every method of a Port that can fail returns os.ErrClosed.
func TestClosedPort(t *testing.T) {
	p := openPort(t, newBus(t))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for method, err := range methodErrors(t, p) {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: %v, want %v", method, err, errClosed)
		}
	}
}
