package main

import (
	"bytes"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
)

// uevent prints an event of a device: texts, each followed by a NUL.
func (d *decoder) uevent(g *input.Datagram) (isBad bool) {
	v := d.newView(0, nil, len(g.Data))
	texts := bytes.Split(bytes.TrimSuffix(g.Data, []byte{0}), []byte{0})
	isText := true
	for _, t := range texts {
		isText = isText && isPrintable(t)
		v.uevent = append(v.uevent, string(t))
	}
	if !isText {
		v.uevent, v.payload = nil, g.Data
	}
	if g.Missing > 0 {
		v.err = "the end was not captured"
	}
	d.print(v)
	return v.err != ""
}
