//go:build !linux

package main

// errnoText returns nothing: the numbers of this system are others than Linux's.
func errnoText(uint32) string { return "" }
