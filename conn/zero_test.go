package conn

import (
	"context"
	"errors"
	"iter"
	"os"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The zero values of types that need a constructor return an error from every method that
// can. The error matches os.ErrClosed. They never panic.
func TestZeroValues(t *testing.T) {
	for _, zero := range []any{new(Conn), new(Pin), new(Subscription)} {
		v := reflect.ValueOf(zero)
		for i := range v.NumMethod() {
			name := v.Type().Elem().Name() + "." + v.Type().Method(i).Name
			results := v.Method(i).Call(zeroArguments(v.Method(i).Type()))
			switch name {
			case "Conn.Dump", "Pin.Dump", "Subscription.Dump", "Subscription.All":
				loop := results[0].Interface().(iter.Seq2[nlmsg.Msg, error])
				loop(func(m nlmsg.Msg, err error) bool {
					results = []reflect.Value{reflect.ValueOf(&err).Elem()}
					return true
				})
			case "Conn.Request", "Pin.Request", "Subscription.Request": // these make a request for another Conn
				continue
			case "Pin.Transport", "Subscription.Transport", "Conn.Stats", "Subscription.Info":
				if !results[0].IsZero() {
					t.Errorf("%s: %v", name, results[0])
				}
				continue
			case "Pin.Close": // like a Pin without a separate Transport
				continue
			}
			err, _ := results[len(results)-1].Interface().(error)
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func zeroArguments(f reflect.Type) (args []reflect.Value) {
	c := new(Conn)
	for i := range f.NumIn() {
		switch typ := f.In(i); {
		case f.IsVariadic() && i == f.NumIn()-1:
			if typ == reflect.TypeFor[[]*Request]() {
				args = append(args, reflect.ValueOf(c.Request(fakeType, 0, nil)))
			}
		case typ == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(context.Background()))
		case typ == reflect.TypeFor[*Request]():
			args = append(args, reflect.ValueOf(c.Request(fakeType, 0, nil)))
		case typ == reflect.TypeFor[func(Transport) error]():
			args = append(args, reflect.ValueOf(func(Transport) error { return nil }))
		case typ == reflect.TypeFor[socket.Flag]():
			args = append(args, reflect.ValueOf(socket.ExtAck))
		default:
			args = append(args, reflect.Zero(typ))
		}
	}
	return args
}

// A list received by Do has ErrInterrupted if any message has the flag. Its replies are
// available nevertheless.
func TestDoReportsInterruptedLists(t *testing.T) {
	for name, flags := range map[string][2]nlmsg.Flags{
		"a message": {nlmsg.FlagDumpIntr, 0}, "the end": {0, nlmsg.FlagDumpIntr}, "neither": {},
	} {
		c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
			return events(message(reqs[0], nlmsg.FlagMulti|flags[0], "one"), done(reqs[0], flags[1], 0))
		})
		r := c.Request(fakeType, nlmsg.FlagDump, nil)
		_, err := c.Do(t.Context(), r)
		if want := name != "neither"; errors.Is(err, ErrInterrupted) != want || (err != nil) != want || text(r.Reply()) != "one" || r.Err() != err {
			t.Errorf("%s: %v, %q", name, err, text(r.Reply()))
		}
		if got := c.Stats().Interrupted; (got == 1) != (name != "neither") {
			t.Errorf("%s: counted %d", name, got)
		}
		r.Release()
	}
}
