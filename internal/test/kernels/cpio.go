package main

import (
	"fmt"
	"io"
)

// cpioWriter writes an archive of the format newc, which the kernel unpacks as its first file
// system.
type cpioWriter struct {
	w   io.Writer
	ino int
	err error
}

const (
	modeFile = 0o100755
	modeDir  = 0o040755
	modeChar = 0o020600
)

func (c *cpioWriter) dir(name string)               { c.entry(name, modeDir, 0, 0, nil) }
func (c *cpioWriter) file(name string, data []byte) { c.entry(name, modeFile, 0, 0, data) }
func (c *cpioWriter) char(name string, major, minor int) {
	c.entry(name, modeChar, major, minor, nil)
}

// close writes the end of the archive.
func (c *cpioWriter) close() error {
	c.entry("TRAILER!!!", 0, 0, 0, nil)
	return c.err
}

// entry writes a header of 13 hexadecimal numbers after the magic number, the name and the data.
// The header with the name, and the data, are padded to 4 bytes.
func (c *cpioWriter) entry(name string, mode, major, minor int, data []byte) {
	if c.err != nil {
		return
	}
	c.ino++
	const headerLen, links = 110, 1
	_, c.err = fmt.Fprintf(c.w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00%s",
		c.ino, mode, 0, 0, links, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name, zeros(headerLen+len(name)+1))
	if c.err == nil {
		_, c.err = c.w.Write(data)
	}
	if c.err == nil {
		_, c.err = io.WriteString(c.w, zeros(len(data)))
	}
}

// zeros returns the padding after n bytes.
func zeros(n int) string { return "\x00\x00\x00"[:-n&3] }
