// Package input reads netlink datagrams from files: captures in the formats pcap and
// pcapng, the bytes of a datagram, and text such as a hex dump, a list of bytes in a
// program, or the output of strace.
//
// A text can have more than one reading: 10 is ten or sixteen. The package uses the
// reading that gives complete netlink messages. If none or several do, that is an error,
// never a guess.
package input

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// Datagram is a datagram of a file.
type Datagram struct {
	Time     time.Time // of the capture; zero if unknown
	Protocol socket.Protocol
	Data     []byte // valid until the next datagram
	Missing  int    // bytes at the end that the file does not contain
	Problem  string // why bytes are missing, "" if the capture cut the packet
}

// Reader reads the datagrams of a file.
type Reader struct {
	in       *bufio.Reader
	protocol socket.Protocol
	skipped  int
}

// New returns a Reader of a file. Datagrams get the given protocol if the file does not
// contain theirs.
func New(r io.Reader, protocol socket.Protocol) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), protocol: protocol}
}

// Skipped returns the number of packets that All skipped because they are not of netlink.
func (r *Reader) Skipped() int { return r.skipped }

// ErrEmpty is the error for an empty file.
var ErrEmpty = errors.New("the file is empty")

// All iterates over the datagrams in the order of the file. An error comes last.
func (r *Reader) All() iter.Seq2[Datagram, error] {
	return func(yield func(Datagram, error) bool) {
		if err := r.read(func(d Datagram) bool { return yield(d, nil) }); err != nil {
			yield(Datagram{}, err)
		}
	}
}

// sniffLen is the number of bytes that determine the kind of a file. It is also the
// number of the first bytes of any datagram, at least one of which is 0.
const sniffLen = 12

// read calls yield with each datagram, until it returns false.
func (r *Reader) read(yield func(Datagram) bool) error {
	start, err := r.in.Peek(sniffLen)
	switch {
	case err != nil && err != io.EOF:
		return err
	case len(start) == 0:
		return ErrEmpty
	case bytes.HasPrefix(start, magicGzip):
		return r.compressed(yield)
	case len(start) < sniffLen: // too short for a capture
	case binary.BigEndian.Uint32(start) == magicNg:
		return r.pcapng(yield)
	case isPcap(start):
		return r.pcap(yield)
	}
	// Text contains no byte 0, while every datagram contains one early: the upper bytes of
	// its length are 0.
	if bytes.IndexByte(start, 0) >= 0 || bytes.HasPrefix(start, []byte{0xff, 0xff}) {
		return r.binary(yield)
	}
	return r.text(yield)
}

// magicGzip is the magic number of gzip with its only method. As the length of a netlink
// message it would mean 559,000 bytes or more, which is implausible for a file.
var magicGzip = []byte{0x1f, 0x8b, 8}

// compressed reads a file in a gzip file.
func (r *Reader) compressed(yield func(Datagram) bool) error {
	z, err := gzip.NewReader(r.in)
	if err != nil {
		return gzipError(err)
	}
	r.in = bufio.NewReaderSize(gunzip{z}, 64<<10)
	start, _ := r.in.Peek(len(magicGzip))
	if bytes.Equal(start, magicGzip) {
		return errors.New("gzip: the file is compressed twice")
	}
	return r.read(yield)
}

// gunzip reads a gzip file. Its errors describe the file.
type gunzip struct{ *gzip.Reader }

func (z gunzip) Read(b []byte) (int, error) {
	n, err := z.Reader.Read(b)
	return n, gzipError(err)
}

func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == io.ErrUnexpectedEOF:
		return fmt.Errorf("gzip: %w", ErrTruncated)
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return errors.New("gzip: the compressed data is corrupt")
	}
	return err
}

// MaxPlain limits the size of a datagram in a file that is not a capture. The limit is
// above the size of any datagram.
const MaxPlain = 8 << 20

// binary yields a file as one datagram.
func (r *Reader) binary(yield func(Datagram) bool) error {
	b, err := io.ReadAll(io.LimitReader(r.in, MaxPlain+1))
	if err != nil {
		return explain(err)
	}
	if len(b) > MaxPlain {
		return fmt.Errorf("the file is neither a capture nor text, and longer than %d MiB", MaxPlain>>20)
	}
	yield(r.datagram(b))
	return nil
}

// datagram returns the datagram of bytes that a file contains without a capture. They may
// begin with the header of a packet of nlmon.
func (r *Reader) datagram(b []byte) Datagram {
	for _, link := range []uint32{linkNetlink, linkCooked2} {
		if h, ok := parseLink(link, b); ok && isPlausible(b[h.size:]) && !isPlausible(b) {
			return Datagram{Protocol: h.protocol, Data: b[h.size:]}
		}
	}
	return Datagram{Protocol: r.protocol, Data: b}
}

// explain replaces errors whose text describes the program instead of the file.
func explain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}

// ErrTruncated is the error for a file that ends within a packet or a block.
var ErrTruncated = errors.New("the file is truncated")
