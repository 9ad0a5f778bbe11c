package ynl

import (
	"strconv"
	"strings"
)

// Error is a problem of a spec, with its place.
type Error struct {
	File         string
	Line, Column int // from 1; 0 if not known
	Text         string
}

// Error returns the place and the problem: "tc.yaml:12:7: unknown type \"u7\"".
func (e *Error) Error() string {
	place := e.File
	if place == "" {
		place = "spec"
	}
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
	}
	return place + ": " + e.Text
}

// Errors are the problems of a spec in the order of their places. There is at
// least one.
type Errors []*Error

// maxErrors is how many problems of one spec are reported.
const maxErrors = 20

// Error returns the first problems, a line each.
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
