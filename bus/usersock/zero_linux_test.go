package usersock

import (
	"context"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/conn"
)

var _ conn.Transport = (*Client)(nil)

// Every method of a zero Client or Server that can fail returns an error that matches
// os.ErrClosed.
func TestZeroValues(t *testing.T) {
	for _, zero := range []any{new(Client), new(Server)} {
		v := reflect.ValueOf(zero)
		for i := range v.NumMethod() {
			f := v.Method(i)
			var args []reflect.Value
			for j := range f.Type().NumIn() {
				arg := reflect.Zero(f.Type().In(j))
				if f.Type().In(j) == reflect.TypeFor[context.Context]() {
					arg = reflect.ValueOf(context.Background())
				}
				args = append(args, arg)
			}
			results := f.Call(args)
			if last := results[len(results)-1]; last.Type() == reflect.TypeFor[error]() {
				if err, _ := last.Interface().(error); !errors.Is(err, os.ErrClosed) {
					t.Errorf("%T.%s: %v", zero, v.Type().Method(i).Name, err)
				}
			}
		}
	}
}
