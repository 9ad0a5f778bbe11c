package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/socket"
)

const decodeHelp = `FILE, or - for standard input, has one of these formats, which nlctl detects:

   a capture by nlctl, tcpdump or Wireshark (pcap, pcapng; link types 113, 253, 276), which
   gzip may have compressed
   the bytes of a datagram
   a text: hex, a dump by hexdump, xxd, od, tshark -x or tcpdump -x, bytes or strings as
   programs in C, Go, Python or Rust contain them, or the output of strace

In a text an empty line ends a datagram, and # begins a comment. If a text has more than one
meaning, nlctl uses the one that gives complete messages, and otherwise reports an error.
Both byte orders are decoded.

A capture and strace contain the protocol of each datagram; -protocol sets the protocol of
other files. Names of families, header sizes and policies are known if the file contains
the controller's descriptions before the families' messages.

With -json every message is an object in a line of its own. Its members:

   datagram  number of the datagram, from 1
   time      of the capture, in the format of RFC 3339
   protocol, offset, length
             the protocol; the position in the datagram, and the length of the message
   type, name, flags, seq, port
             the message header; the name of the family or of the type
   reply_to  number of the datagram that contains the request
   generic   {cmd, version} of the Generic Netlink header
   family, op, values
             the names of the spec, and the values by name, in the format of the kernel's
             tool ynl with --output-json
   header, attrs
             without a spec: the family's header in hex, and a list of attributes {type,
             flags, kind, value, text}
   answer    of an error or the end of a dump: errno, text, message, offset, attribute (the
             path of the rejected attribute), policy, missing, nest, cookie, request
   uevent, connector, payload, text
             of other messages; the payload in hex
   note, error, rest
             a remark; why the message is malformed or incomplete; the malformed bytes`

const decodeExamples = `   ip link add nlmon0 type nlmon && ip link set nlmon0 up && tcpdump -i nlmon0 -w FILE
   nlctl decode FILE
   strace -e trace=network -e read=all -e write=all ip link 2>&1 | nlctl decode -
   echo '1c000000 10000100 07000000 00000000 03010000 08000200 6e626400' | nlctl decode -
   nlctl decode -stats FILE`

func decodeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "protocol", Value: socket.Generic.String(), Usage: "the protocol of a file that does not contain it, by `NAME` or number"},
		&cli.Uint8Flag{Name: "header", HideDefault: true, Usage: "the header size, `N` bytes, of families that the file does not describe"},
		&cli.BoolFlag{Name: "stats", Usage: "print the number of attributes with a name and a type, for each protocol"},
	}
}

// gcPercent lets the heap, which is small, grow to a multiple of its size before each
// collection.
const gcPercent = 400

// decode prints the messages in a file. It uses neither the kernel nor a bus.
func decode(_ context.Context, c *cli.Command) error {
	args, err := arguments(c, 1)
	if err != nil {
		return err
	}
	if c.Root().IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with decode, which only reads a file")}
	}
	protocol, err := parseProtocol(c.String("protocol"))
	if err != nil {
		return usageError{err}
	}
	debug.SetGCPercent(gcPercent)
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	d := newDecoder(standardOutput(c), specs, c.Bool("json"))
	d.header = int(c.Uint8("header"))
	if c.Bool("stats") {
		d.stats = &stats{}
	}
	d.stderr = c.Root().ErrWriter
	if args[0] == "-" {
		return d.file(c.Root().Reader, protocol)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	return d.file(newProgress(file, d.out, c.Root().ErrWriter), protocol)
}

// file prints all datagrams of a file. It prints the well-formed part of a malformed
// datagram, and returns an error at the end of the file.
func (d *decoder) file(r io.Reader, protocol socket.Protocol) error {
	in := input.New(flushing{r, d.out}, protocol)
	for g, err := range in.All() {
		if err == nil {
			err = d.datagram(&g)
		}
		if err != nil {
			_ = d.out.Flush() // the first error is reported
			return err
		}
	}
	if n := in.Skipped(); n > 0 && d.stderr != nil {
		fmt.Fprintf(d.stderr, "nlctl: skipped %d packets of other links than netlink\n", n)
	}
	if d.stats != nil {
		d.stats.write(d.out, d.isJSON)
	}
	if err := d.out.Flush(); err != nil {
		return err
	}
	switch {
	case d.count == 0:
		return errors.New("the file has no datagram")
	case d.bad > 0:
		return fmt.Errorf("%d of %d datagrams are malformed or incomplete", d.bad, d.count)
	}
	return nil
}

// flushing is a reader that writes the output before it waits for input.
type flushing struct {
	io.Reader
	out *output
}

func (f flushing) Read(p []byte) (int, error) {
	if err := f.out.Flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}
