package nla

import (
	"encoding/hex"
	"strconv"
)

// Format returns the attributes of b as readable text, one per line: the type, the length of the
// payload, and its first 32 bytes in hex. An attribute with the Nested bit is followed by its
// attributes, indented. A malformed attribute ends its stream with a line that contains the
// error. The text contains no raw bytes of b. Format allocates.
//
//	3: 5 bytes: 6574683000
//	18: 12 bytes
//	  1: 5 bytes: 7665746800
func Format(b []byte) string { return string(format(nil, b, 0)) }

// formatDepth is the maximum depth of nests that Format expands. Policies nest less deeply.
const formatDepth = 10

func format(text, b []byte, depth int) []byte {
	indent := func() {
		for range depth {
			text = append(text, "  "...)
		}
	}
	c := Walk(b)
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		p := a.Payload()
		indent()
		text = strconv.AppendUint(text, uint64(a.Type()), 10)
		if a.IsNetByteOrder() {
			text = append(text, " (network byte order)"...)
		}
		text = append(strconv.AppendInt(append(text, ": "...), int64(len(p)), 10), " bytes"...)
		switch {
		case a.IsNested() && depth+1 < formatDepth:
			text = format(append(text, '\n'), p, depth+1)
			continue
		case len(p) > 0:
			const shown = 32
			text = hex.AppendEncode(append(text, ": "...), p[:min(len(p), shown)])
			if len(p) > shown {
				text = append(text, "..."...)
			}
		}
		text = append(text, '\n')
	}
	if err := c.Err(); err != nil {
		indent()
		text = append(append(text, err.Error()...), '\n')
	}
	return text
}
