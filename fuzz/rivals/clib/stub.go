//go:build !linux || !cgo

// Package clib calls libmnl and libnl, which takes cgo and Linux.
package clib

import "errors"

// Built says that this is not the stub.
const Built = false

var errNoCgo = errors.New("built without cgo, or not for Linux")

// LoadMnl fails.
func LoadMnl() error { return errNoCgo }

// LoadNl fails.
func LoadNl() error { return errNoCgo }

// Nothing else is called after that.

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
