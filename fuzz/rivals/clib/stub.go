//go:build !linux || !cgo

// Package clib calls libmnl and libnl. It requires cgo and Linux; this is the stub for other
// builds.
package clib

import "errors"

// Built reports whether this is the cgo build and not the stub.
const Built = false

var errNoCgo = errors.New("clib: requires cgo and Linux")

// LoadMnl returns an error.
func LoadMnl() error { return errNoCgo }

// LoadNl returns an error.
func LoadNl() error { return errNoCgo }

// The other functions are never called after these errors.

func MnlMessages([]byte) []Piece           { return nil }
func MnlAttributes([]byte) []Piece         { return nil }
func NlMessages([]byte) []Piece            { return nil }
func NlAttributes([]byte) []Piece          { return nil }
func NlFind([]byte, uint16) int            { return 0 }
func MnlValue([]byte) Value                { return Value{} }
func NlValue([]byte) Value                 { return Value{} }
func NlParse([]byte, []Rule) ([]int, int)  { return nil, 0 }
func MnlAnswer([]byte) (result, errno int) { return 0, 0 }
func NlAnswer([]byte) (result, errno int)  { return 0, 0 }
func NlFamily([]byte) (Family, int)        { return Family{}, 0 }
func MnlBuild([]byte) []byte               { return nil }
func NlBuild([]byte) []byte                { return nil }
