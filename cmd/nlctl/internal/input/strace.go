package input

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/nlwire/nlwire/socket"
)

// strace reads the output of strace, a line at a time. It yields the datagrams of the
// system calls that send and receive.
type strace struct {
	reader    *Reader
	yield     func(Datagram) bool
	protocols map[string]socket.Protocol // of descriptors, by "pid fd" and "fd"
	partial   map[string]string          // interrupted calls, by pid
	pending   *Datagram                  // of the last call, until its dump has ended
	dump      []byte
}

func newStrace(r *Reader, yield func(Datagram) bool) *strace {
	return &strace{reader: r, yield: yield, protocols: map[string]socket.Protocol{}, partial: map[string]string{}}
}

// tracePattern matches a line of strace: a process ID and a time, which are optional, and
// a call with its result.
var tracePattern = pattern{text: `^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(?:\d+:\d+:\d+(?:\.\d+)?\s+|\d+\.\d+\s+)?(<\.\.\. )?([a-z_][a-z0-9_]*)( resumed>|\()(.*)$`}

// traceCalls are the calls that carry datagrams, with the index of the argument that
// contains the bytes or the messages.
var traceCalls = nameList{
	{"sendto", 1}, {"recvfrom", 1}, {"send", 1}, {"recv", 1}, {"write", 1}, {"read", 1},
	{"sendmsg", 1}, {"recvmsg", 1}, {"sendmmsg", 1}, {"recvmmsg", 1}, {"writev", 1}, {"readv", 1},
}

// traceEvent matches a line of strace about a signal or a process.
var traceEvent = pattern{text: `^(?:\[pid\s+\d+\]\s+|\d+\s+)?(?:\d+:\d+:\d+(?:\.\d+)?\s+|\d+\.\d+\s+)?(?:--- SIG[A-Z0-9_]+ .*---|\+\+\+ .* \+\+\+|strace: Process \d+ .*)$`}

// isTrace reports whether strace wrote the line.
func isTrace(line string) bool {
	if traceEvent.regexp().MatchString(line) {
		return true
	}
	m := tracePattern.regexp().FindStringSubmatch(line)
	if m == nil {
		return false
	}
	_, isCall := traceCalls.find(m[4])
	return isCall || m[4] == "socket" || m[3] != "" ||
		strings.Contains(m[6], ") = ") || strings.Contains(m[6], "<unfinished ...>")
}

// maxPartial limits the number of calls that are interrupted at the same time, and
// maxResumed the text of one that is interrupted more than once.
const (
	maxPartial = 1 << 16
	maxResumed = 1 << 20
)

// dumpOfCall matches a line of the bytes that strace -e read -e write prints after a call:
// an offset, 16 bytes in two groups of eight, 48 characters wide, and the bytes as characters.
var dumpOfCall = pattern{text: `^\s*\| [0-9a-f]{5,16}  ([0-9a-f ]{48})  .*\|$`}

// line reads a line. It reports whether to continue.
func (s *strace) line(number int, line string) (more bool, err error) {
	if m := dumpOfCall.regexp().FindStringSubmatch(line); m != nil {
		if s.dump, err = hex.AppendDecode(s.dump, []byte(strings.ReplaceAll(m[1], " ", ""))); err != nil {
			return false, fmt.Errorf("line %d: the bytes of a call are incomplete", number)
		}
		return true, nil
	}
	if strings.HasPrefix(strings.TrimSpace(line), "* ") { // "* 32 bytes in buffer 0"
		return true, nil
	}
	if !s.end() {
		return false, nil
	}
	m := tracePattern.regexp().FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return true, nil // a signal, the end of a process, or output of the program
	}
	pid, name, args := m[1]+m[2], m[4], m[6]
	if m[3] != "" {
		args = s.partial[pid] + args
		delete(s.partial, pid)
	}
	if i := strings.Index(args, "<unfinished ...>"); i >= 0 {
		if len(s.partial) >= maxPartial || m[3] != "" && i > maxResumed {
			return false, fmt.Errorf("line %d: too many interrupted calls", number)
		}
		s.partial[pid] = strings.TrimRight(args[:i], " ")
		return true, nil
	}
	return s.call(number, pid, name, args)
}

// end yields the datagram of the last call, with the bytes of the dump after it. It reports
// whether to continue.
func (s *strace) end() (more bool) {
	d := s.pending
	if d == nil {
		s.dump = nil
		return true
	}
	if len(s.dump) > 0 {
		d.Data, d.Missing, d.Problem = s.dump, 0, ""
	}
	s.pending, s.dump = nil, nil
	return s.yield(*d)
}

// call reads a call. Its datagram is pending until the next line. It reports whether to
// continue.
func (s *strace) call(number int, pid, name, text string) (more bool, err error) {
	if name == "close" || name == "open" || name == "openat" {
		s.reuse(pid, name, text)
		return true, nil
	}
	arg, isCall := traceCalls.find(name)
	if !isCall && name != "socket" {
		return true, nil
	}
	if isFileCall(name) {
		if _, isKnown := s.protocolOf(pid, traceValue{text: text}); !isKnown {
			return true, nil // another file, whose output may be within the line
		}
	}
	args, result, err := parseCall(text)
	if err != nil {
		if strings.Contains(text, "nlmsg_len") { // otherwise it is not of netlink
			s.pending = &Datagram{Protocol: unknownProtocol, Problem: fmt.Sprintf("line %d: %s: %v", number, name, err)}
		}
		return true, nil
	}
	if result < 0 || len(args) == 0 {
		return true, nil // the call failed, and carried nothing
	}
	if name == "socket" {
		s.socket(pid, args, result)
		return true, nil
	}
	protocol, isKnown := s.protocolOf(pid, args[0])
	if int(arg) >= len(args) || protocol == otherSocket {
		return true, nil
	}
	for _, buffer := range buffers(name, args[arg]) {
		if !isKnown && !buffer.hasMessages() && name != "sendto" && name != "sendmsg" && name != "recvmsg" {
			continue // another file
		}
		d, ok := s.buffer(protocol, buffer, int(result))
		if !ok {
			continue
		}
		if !s.end() {
			return false, nil
		}
		s.pending = &d
	}
	return true, nil
}

// isFileCall reports whether programs use the call for files more than for sockets.
func isFileCall(name string) bool {
	return name == "read" || name == "write" || name == "readv" || name == "writev"
}

// netlinkProtocols are the protocols by their names in strace, where the name differs from
// that of package socket.
var netlinkProtocols = nameList{
	{"NETLINK_ROUTE", int64(socket.Route)}, {"NETLINK_USERSOCK", int64(socket.UserSock)}, {"NETLINK_SOCK_DIAG", int64(socket.SockDiag)}, {"NETLINK_INET_DIAG", int64(socket.SockDiag)},
	{"NETLINK_NFLOG", int64(socket.NFLog)}, {"NETLINK_XFRM", int64(socket.XFRM)}, {"NETLINK_SELINUX", int64(socket.SELinux)}, {"NETLINK_ISCSI", int64(socket.ISCSI)},
	{"NETLINK_AUDIT", int64(socket.Audit)}, {"NETLINK_FIB_LOOKUP", int64(socket.FIBLookup)}, {"NETLINK_CONNECTOR", int64(socket.Connector)},
	{"NETLINK_NETFILTER", int64(socket.Netfilter)}, {"NETLINK_KOBJECT_UEVENT", int64(socket.KObjectUevent)}, {"NETLINK_GENERIC", int64(socket.Generic)},
	{"NETLINK_SCSITRANSPORT", int64(socket.SCSITransport)}, {"NETLINK_RDMA", int64(socket.RDMA)}, {"NETLINK_CRYPTO", int64(socket.Crypto)}, {"NETLINK_SMC", int64(socket.SMC)},
}

// otherSocket is stored as the protocol of sockets of other address families.
const otherSocket socket.Protocol = -2

// socket stores the protocol of a new descriptor.
func (s *strace) socket(pid string, args []traceValue, fd int64) {
	protocol := otherSocket
	if len(args) >= 3 && (args[0].text == "AF_NETLINK" || args[0].text == "PF_NETLINK") {
		number, err := args[2].number(netlinkProtocols.find)
		if err != nil {
			return // a name of a newer strace
		}
		protocol = socket.Protocol(number)
	}
	s.protocols[fmt.Sprintf("%s %d", pid, fd)] = protocol
	s.protocols[fmt.Sprint(fd)] = protocol
}

// reuse forgets the protocol of a descriptor that a process closes, or gets for a file.
func (s *strace) reuse(pid, name, text string) {
	args, result, err := parseCall(text)
	if err != nil || result < 0 || len(args) == 0 {
		return
	}
	fd := fmt.Sprint(result)
	if name == "close" {
		fd, _, _ = strings.Cut(args[0].text, "<")
	}
	if _, isNetlink := s.protocols[pid+" "+fd]; isNetlink {
		delete(s.protocols, pid+" "+fd)
		delete(s.protocols, fd)
	}
}

// descriptorPattern matches a descriptor, which strace -yy describes.
var descriptorPattern = pattern{text: `^(\d+)(?:<NETLINK:\[([A-Z_]+):[^\]]*\]>)?`}

// protocolOf returns the protocol of a descriptor.
func (s *strace) protocolOf(pid string, arg traceValue) (protocol socket.Protocol, isKnown bool) {
	m := descriptorPattern.regexp().FindStringSubmatch(arg.text)
	if m == nil {
		return s.reader.protocol, false
	}
	if protocol, ok := netlinkProtocols.find("NETLINK_" + m[2]); ok {
		return socket.Protocol(protocol), true
	}
	if protocol, ok := s.protocols[pid+" "+m[1]]; ok {
		return protocol, true
	}
	if protocol, ok := s.protocols[m[1]]; ok {
		return protocol, true
	}
	return s.reader.protocol, false
}
