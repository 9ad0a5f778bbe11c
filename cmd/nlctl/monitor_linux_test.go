package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

// monitored runs nlctl monitor in a network namespace until the function stop is called, which
// returns the exit status and the error output.
func monitored(t *testing.T, netNS int, args ...string) (out *bufio.Reader, stop func() (int, string)) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	var errs bytes.Buffer
	go kerneltest.InNetNS(t, netNS, func() {
		code <- run(ctx, append([]string{"nlctl", "monitor"}, args...), w, &errs)
		w.Close()
	})
	return bufio.NewReader(r), func() (int, string) {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, r) }()
		return <-code, errs.String()
	}
}

// eventually makes and removes links until the monitor reads something.
func eventually[T any](t *testing.T, netNS int, read func() (T, error)) T {
	t.Helper()
	type result struct {
		v   T
		err error
	}
	arrived := make(chan result, 1)
	go func() {
		v, err := read()
		arrived <- result{v, err}
	}()
	for {
		kerneltest.InNetNS(t, netNS, func() {
			nlctl(t, "call", "rt-link", "newlink", "-flags", "create,excl", "ifname=m0", "linkinfo.kind=veth")
			nlctl(t, "call", "rt-link", "dellink", "ifname=m0")
		})
		select {
		case r := <-arrived:
			if r.err != nil {
				t.Fatal(r.err)
			}
			return r.v
		default:
		}
	}
}

func TestMonitorRoute(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	for _, args := range []string{"route:link -json", "rt-link -json", "route:1 rt-neigh -json", "0:link -json -all-namespaces"} {
		out, stop := monitored(t, netNS, strings.Fields(args)...)
		d := json.NewDecoder(out)
		m := eventually(t, netNS, func() (m message, err error) {
			for err == nil && m.Name != "newlink" {
				m = message{}
				err = d.Decode(&m)
			}
			return m, err
		})
		var values struct{ Ifname string }
		if err := json.Unmarshal(m.Values, &values); err != nil || values.Ifname == "" || m.Family != "rt-link" || m.Op != "newlink-ntf" || m.Time == "" || m.Protocol != "route" {
			t.Errorf("%s: %v, %+v", args, err, m)
		}
		if code, stderr := stop(); code != exitOK || stderr != "" {
			t.Errorf("%s: exit %d, stderr %q", args, code, stderr)
		}
	}
}

// -w writes a capture that other programs read.
func TestMonitorWrites(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	out, stop := monitored(t, netNS, "route:link", "-w", "-")
	packet := eventually(t, netNS, func() ([]byte, error) {
		r, err := pcapgo.NewReader(out)
		if err != nil {
			return nil, err
		}
		if r.LinkType() != linkNetlink {
			return nil, errors.New("another link type")
		}
		b, _, err := r.ReadPacketData()
		return b, err
	})
	if code, stderr := stop(); code != exitOK || stderr != "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	got, err := decoded(t, pcap(t, linkNetlink, packet), socket.Generic)
	if err != nil || len(got) != 1 || got[0].Family != "rt-link" || got[0].Protocol != "route" {
		t.Errorf("%v, %+v", err, got)
	}
}

// Notifications that the kernel drops are reported.
func TestMonitorReportsLosses(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	out, stop := monitored(t, netNS, "route:link", "-json", "-buffer", "1")
	d := json.NewDecoder(out)
	loss := eventually(t, netNS, func() (string, error) {
		// The pipe blocks the monitor between two reads.
		for {
			kerneltest.InNetNS(t, netNS, func() {
				for range 20 {
					nlctl(t, "call", "rt-link", "newlink", "-flags", "create,excl", "ifname=n0", "linkinfo.kind=veth")
					nlctl(t, "call", "rt-link", "dellink", "ifname=n0")
				}
			})
			var m struct{ Loss string }
			if err := d.Decode(&m); err != nil || m.Loss != "" {
				return m.Loss, err
			}
		}
	})
	if !strings.Contains(loss, "no buffer space") {
		t.Errorf("%q", loss)
	}
	if code, stderr := stop(); code != exitOK || stderr != "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestMonitorRefuses(t *testing.T) {
	needLinux(t)
	for args, want := range map[string]string{
		"nosuch":                     `"nosuch" is neither a protocol, nor a family with a spec, nor a family of the kernel`,
		"route:":                     "has no group after the colon",
		"route:nosuch":               "its groups are brvlan, dcb, ",
		"nlctrl:nosuch":              "its groups are notify (16)",
		"generic:x":                  "write a number, or FAMILY:GROUP",
		"99:1":                       "this kernel does not have the protocol",
		"route:link -w /nosuch/file": "no such file",
	} {
		code, stdout, stderr := nlctl(t, append([]string{"monitor"}, strings.Fields(args)...)...)
		if code == exitOK || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("monitor %s: exit %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
	if code, _, stderr := nlctl(t, "-bus", "example", "monitor", "route"); code != exitUsage || !strings.Contains(stderr, "-bus is not allowed") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestCaptureRefuses(t *testing.T) {
	kerneltest.EnterNetNS(t)
	for args, want := range map[string]string{
		"capture -i lo":              `capture: "lo" is not an nlmon device`,
		"capture -i nosuch":          `capture: no device "nosuch"`,
		"capture x":                  "usage: nlctl capture",
		"-bus example capture":       "-bus is not allowed",
		"capture -i lo -w /dev/null": `capture: "lo" is not an nlmon device`,
	} {
		if code, stdout, stderr := nlctl(t, strings.Fields(args)...); code == exitOK || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("nlctl %s: exit %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
}

// On a kernel with nlmon devices, capture records the requests and replies of other
// processes, and removes its device.
func TestCapture(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	code := make(chan int, 1)
	var errs bytes.Buffer
	go kerneltest.InNetNS(t, netNS, func() {
		code <- run(ctx, []string{"nlctl", "capture", "-json"}, w, &errs)
		w.Close()
	})
	first := make(chan message, 1)
	go func() {
		d := json.NewDecoder(r)
		for {
			var m message
			if err := d.Decode(&m); err != nil {
				return
			}
			if m.Op == "getfamily" && m.ReplyTo != 0 {
				select {
				case first <- m:
				default: // continue to read: the program must not wait for the pipe
				}
			}
		}
	}()
	for end := time.Now().Add(30 * time.Second); ; {
		kerneltest.InNetNS(t, netNS, func() { nlctl(t, "list") })
		if time.Now().After(end) {
			t.Fatal("no reply to getfamily was recorded")
		}
		select {
		case c := <-code:
			if strings.Contains(errs.String(), "the kernel has no nlmon devices") {
				t.Skip("needs a kernel with CONFIG_NLMON")
			}
			t.Fatalf("exit %d, stderr %q", c, errs.String())
		case m := <-first:
			if m.Family != "nlctrl" || m.Protocol != "generic" || m.Time == "" {
				t.Errorf("%+v", m)
			}
			cancel()
			if c := <-code; c != exitOK {
				t.Errorf("exit %d, stderr %q", c, errs.String())
			}
			kerneltest.InNetNS(t, netNS, func() {
				if links := called(t, "rt-link getlink -dump"); len(links) != 1 {
					t.Errorf("%+v", links)
				}
			})
			return
		default:
		}
	}
}

// The packet socket of capture reports the protocol and the bytes of each packet.
func TestCaptureReceives(t *testing.T) {
	kerneltest.EnterNetNS(t)
	called(t, `rt-link newlink {"ifi-index":1,"ifi-flags":["up"],"ifi-change":1}`)
	d := &monitorDevice{index: 1} // lo instead of an nlmon device
	if err := d.listen(); err != nil {
		t.Fatal(err)
	}
	defer d.close()
	c, err := net.Dial("udp4", "127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first *received
	err = d.receive(ctx, func(r *received) error {
		if first == nil && r.Protocol == unix.ETH_P_IP {
			b := *r
			b.Data = slices.Clone(r.Data)
			first = &b
			cancel()
		}
		return nil
	})
	if err != nil || first == nil || len(first.Data) != 33 || !bytes.HasSuffix(first.Data, []byte("hello")) || first.Time.IsZero() || first.Missing != 0 {
		t.Errorf("%v, %+v", err, first)
	}
}
