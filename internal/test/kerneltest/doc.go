// Package kerneltest holds what tests and benchmarks share: network namespaces,
// leak checks, and timing in turns.
package kerneltest
