// Package fuzz holds the tests that compare the library with something else:
// with slow implementations of the same rules, written to disagree, and with
// the running kernel. It has no code of its own.
package fuzz
