// Package fuzz contains the tests that compare the library with other implementations: with
// independent, slow implementations of the same rules (validation, encoding, answers, families),
// and with the running kernel. The nested module rivals compares it with other libraries. The
// package has no code besides tests.
package fuzz
