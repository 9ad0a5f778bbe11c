//go:build !linux

package main

import "io"

// terminalWidth returns 0: the output has the format for files.
func terminalWidth(io.Writer) int { return 0 }
