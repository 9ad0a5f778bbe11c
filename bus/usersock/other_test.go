//go:build !linux

package usersock

import (
	"errors"
	"testing"
)

func TestDialIsUnsupported(t *testing.T) {
	if c, err := Dial(1); c != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v, %v", c, err)
	}
}
