// Package kerneltest contains functions shared by tests and benchmarks: network namespaces, leak
// checks, and alternating time measurements.
package kerneltest
