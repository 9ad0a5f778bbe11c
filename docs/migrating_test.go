package docs_test

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/nla"
)

const attrIndex, attrName, attrQueue, attrDepth = 1, 2, 3, 1

// device is the type that the code blocks of docs/migrating.md read and write.
type device struct {
	index, depth uint32
	name         string
}

func (d *device) decode(b []byte) error {
	r := nla.NewReader(b)
	for r.Next() {
		switch r.Type() {
		case attrIndex:
			d.index = r.Uint32()
		case attrName:
			d.name = string(r.CString())
		case attrQueue:
			queue := r.Nest()
			for queue.Next() {
				if queue.Type() == attrDepth {
					d.depth = queue.Uint32()
				}
			}
			r.Fail(queue.Err())
		}
	}
	return r.Err()
}

func (d *device) append(b []byte) []byte {
	b = nla.AppendUint32(b, attrIndex, d.index)
	b = nla.AppendCString(b, attrName, d.name)
	queue := len(b)
	b = nla.Begin(b, attrQueue)
	b = nla.AppendUint32(b, attrDepth, d.depth)
	return nla.End(b, queue)
}

func TestMigrating(t *testing.T) {
	want := device{index: 7, name: "eth0", depth: 64}
	var got device
	if err := got.decode(want.append(nil)); err != nil || got != want {
		t.Errorf("decode: %+v, %v, want %+v", got, err, want)
	}
	bad := nla.Begin(nil, attrQueue)
	bad = nla.End(nla.AppendUint16(bad, attrDepth, 64), 0)
	if err := got.decode(bad); !errors.Is(err, nla.ErrSize) {
		t.Errorf("a depth of two bytes: %v, want %v", err, nla.ErrSize)
	}
}
