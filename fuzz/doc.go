// Package fuzz holds the tests that compare the library with something else: with
// slow implementations of the same rules, written to disagree (validation, encoding,
// answers, families), and with the running kernel. The module rivals in it compares
// with other libraries. It has no code of its own.
package fuzz
