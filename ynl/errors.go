package ynl

import (
	"strconv"
	"strings"
)

// Error is a problem of a spec with its position.
type Error struct {
	File         string
	Line, Column int // from 1; 0 if unknown
	Text         string
}

// Error returns the position and the problem: "tc.yaml:12:7: unknown type \"u7\"".
func (e *Error) Error() string {
	position := e.File
	if position == "" {
		position = "spec"
	}
	if e.Line > 0 {
		position += ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
	}
	return position + ": " + e.Text
}

// Errors are the problems of a spec, sorted by position. It is never empty.
type Errors []*Error

// maxErrors is the number of problems of a spec that are reported.
const maxErrors = 20

// Error returns the problems, one line each.
func (e Errors) Error() string {
	var b strings.Builder
	for i, p := range e {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap returns the problems, for errors.As.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, p := range e {
		list[i] = p
	}
	return list
}
