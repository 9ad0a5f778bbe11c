//go:build !linux

package main

import (
	"context"
	"errors"
)

// monitorDevice is an nlmon device, which only Linux has.
type monitorDevice struct{}

func openMonitor(context.Context, string) (*monitorDevice, error) {
	return nil, errors.New("capture: this system has no nlmon device; it needs Linux")
}

func (*monitorDevice) close() {}

func (*monitorDevice) receive(context.Context, showFunc) error { return nil }
