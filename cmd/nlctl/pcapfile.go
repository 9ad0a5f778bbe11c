package main

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/socket"
)

// captureWriter writes datagrams as a pcap file of link type netlink
// (draft-ietf-opsawg-pcap, LINKTYPE_NETLINK).
type captureWriter struct {
	w   io.Writer
	buf []byte
}

// The contents of the file and record headers.
const (
	pcapNano      = 0xa1b23c4d // magic number of files with timestamps in nanoseconds
	pcapLink      = 253        // LINKTYPE_NETLINK
	pcapSnap      = 256 << 10
	pcapHeaderLen = 16
	arpNetlink    = 824 // ARPHRD_NETLINK
	packetKernel  = 4   // PACKET_OUTGOING, as nlmon devices report what the kernel sends
)

// newCaptureWriter writes the header of the file.
func newCaptureWriter(w io.Writer) (*captureWriter, error) {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, pcapNano)
	b = ne.AppendUint16(b, 2) // version 2.4
	b = ne.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...) // time zone and accuracy
	b = ne.AppendUint32(b, pcapSnap)
	b = ne.AppendUint32(b, pcapLink)
	_, err := w.Write(b)
	return &captureWriter{w: w}, err
}

// write writes a datagram that was length bytes long.
func (c *captureWriter) write(when time.Time, protocol socket.Protocol, b []byte, length int) error {
	if len(b) > pcapSnap-pcapHeaderLen {
		b = b[:pcapSnap-pcapHeaderLen]
	}
	ne, be := binary.NativeEndian, binary.BigEndian
	out := ne.AppendUint32(c.buf[:0], uint32(when.Unix()))
	out = ne.AppendUint32(out, uint32(when.Nanosecond()))
	out = ne.AppendUint32(out, uint32(len(b)+pcapHeaderLen))
	out = ne.AppendUint32(out, uint32(max(length, len(b))+pcapHeaderLen))
	out = be.AppendUint16(out, packetKernel)
	out = be.AppendUint16(out, arpNetlink)
	out = append(out, make([]byte, 10)...) // no address
	out = be.AppendUint16(out, uint16(protocol))
	c.buf = append(out, b...)
	_, err := c.w.Write(c.buf)
	return err
}

// newCapture returns a function that writes a capture to a file, and the function that closes
// it. Each datagram is written at once, for programs that read the capture meanwhile.
func newCapture(c *cli.Command, path string) (showFunc, func() error, error) {
	w, end, err := createCapture(c, path)
	if err != nil {
		return nil, nil, err
	}
	writer, err := newCaptureWriter(w)
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	warn := newDecoder(&output{w: c.Root().ErrWriter}, newNames(builtinNames()), false)
	return func(r *received) error {
		if r.err != nil && !errors.Is(r.err, socket.ErrTruncated) {
			warn.loss(r)
			return warn.out.Flush()
		}
		return writer.write(r.Time, r.Protocol, r.Data, len(r.Data)+r.Missing)
	}, end, nil
}

// createCapture creates the file of a capture, or selects the standard output.
func createCapture(c *cli.Command, path string) (w io.Writer, end func() error, err error) {
	if path != "-" {
		file, err := os.Create(path)
		if err != nil {
			return nil, nil, err
		}
		return file, file.Close, nil
	}
	out := standardOutput(c)
	if out.width > 0 {
		return nil, nil, usageError{errors.New("-w -: the standard output is a terminal; write to a file or a pipe")}
	}
	return out.w, out.Flush, nil
}
