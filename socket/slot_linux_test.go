package socket

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

func TestControlHasRoomForBothMessages(t *testing.T) {
	if want := 2 * unix.CmsgSpace(4); controlLen != want {
		t.Errorf("controlLen %d, want %d", controlLen, want)
	}
}

// cmsg makes a control message as the kernel does.
func cmsg(level, typ int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	if word == 8 {
		ne.PutUint64(b, uint64(unix.CmsgLen(len(data))))
	} else {
		ne.PutUint32(b, uint32(unix.CmsgLen(len(data))))
	}
	ne.PutUint32(b[word:], uint32(level))
	ne.PutUint32(b[word+4:], uint32(typ))
	copy(b[unix.CmsgLen(0):], data)
	return b
}

func TestControlMessages(t *testing.T) {
	group := cmsg(unix.SOL_NETLINK, unix.NETLINK_PKTINFO, u32(200))
	nsid := cmsg(unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, u32(5))
	none := cmsg(unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, u32(1<<32-1))
	other := cmsg(unix.SOL_SOCKET, unix.SCM_CREDENTIALS, make([]byte, 12))
	for name, row := range map[string]struct {
		control []byte
		want    Info
	}{
		"nothing":     {nil, Info{}},
		"group":       {group, Info{Group: 200}},
		"nsid":        {nsid, Info{NSID: 5, HasNSID: true}},
		"negative":    {none, Info{NSID: -1, HasNSID: true}},
		"both":        {append(bytes.Clone(group), nsid...), Info{Group: 200, NSID: 5, HasNSID: true}},
		"others":      {append(bytes.Clone(other), group...), Info{Group: 200}},
		"other level": {cmsg(unix.SOL_SOCKET, unix.NETLINK_PKTINFO, u32(1)), Info{}},
		"other type":  {cmsg(unix.SOL_NETLINK, 99, u32(1)), Info{}},
		"too short":   {cmsg(unix.SOL_NETLINK, unix.NETLINK_PKTINFO, []byte{1, 2}), Info{}},
		"header only": {cmsg(unix.SOL_NETLINK, unix.NETLINK_PKTINFO, nil), Info{}},
		"cut":         {group[:unix.SizeofCmsghdr-1], Info{}},
		"length 0":    {make([]byte, 64), Info{}},
		"length long": {append(bytes.Repeat([]byte{0xff}, word), group[word:]...), Info{}},
	} {
		t.Run(name, func(t *testing.T) {
			var info Info
			info.control(row.control)
			if info != row.want {
				t.Errorf("%+v, want %+v", info, row.want)
			}
		})
	}
}

// slowControl walks control messages by position, like CMSG_NXTHDR of the C library.
func slowControl(b []byte) (info Info) {
	header := word + 8
	for at := 0; len(b)-at >= header; {
		length := uint64(ne.Uint32(b[at:]))
		if word == 8 {
			length = ne.Uint64(b[at:])
		}
		if length < uint64(header) || length > uint64(len(b)-at) {
			break
		}
		level, typ, payload := ne.Uint32(b[at+word:]), ne.Uint32(b[at+word+4:]), b[at+header:at+int(length)]
		if level == unix.SOL_NETLINK && len(payload) >= 4 {
			switch typ {
			case unix.NETLINK_PKTINFO:
				info.Group = ne.Uint32(payload)
			case unix.NETLINK_LISTEN_ALL_NSID:
				info.NSID, info.HasNSID = int32(ne.Uint32(payload)), true
			}
		}
		for at += int(length); at%word != 0; {
			at++
		}
	}
	return info
}

// FuzzControl reads arbitrary bytes as control messages and compares the result with a slow
// walk.
func FuzzControl(f *testing.F) {
	group := cmsg(unix.SOL_NETLINK, unix.NETLINK_PKTINFO, u32(200))
	f.Add(group)
	f.Add(append(cmsg(unix.SOL_SOCKET, unix.SCM_CREDENTIALS, make([]byte, 12)), group...))
	f.Add(append(group, cmsg(unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, u32(1<<32-1))...))
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, b []byte) {
		var info Info
		info.control(b)
		if want := slowControl(b); info != want {
			t.Errorf("%+v, want %+v", info, want)
		}
	})
}

func TestSlotResult(t *testing.T) {
	const netlink = unix.AF_NETLINK
	for name, row := range map[string]struct {
		namelen uint32
		family  uint16
		size    int
		n       int
		err     error
	}{
		"fits":         {12, netlink, 100, 100, nil},
		"fits exactly": {12, netlink, 128, 128, nil},
		"empty":        {12, netlink, 0, 0, nil},
		"cut":          {12, netlink, 129, 128, ErrTruncated},
		"no name":      {0, netlink, 100, 100, ErrSender},
		"short name":   {11, netlink, 100, 100, ErrSender},
		"other family": {12, unix.AF_INET, 100, 100, ErrSender},
		"family 0":     {16, 0, 200, 128, ErrSender},
	} {
		t.Run(name, func(t *testing.T) {
			var h unix.Msghdr
			sl := &slot{from: unix.RawSockaddrNetlink{Family: row.family, Pid: 7, Groups: 2}}
			sl.link(&h)
			sl.offer(make([]byte, 128))
			h.Namelen = row.namelen
			n, info, err := sl.result(&h, row.size)
			want := Info{Size: row.size}
			if row.err != ErrSender {
				want.PortID, want.Groups = 7, 2
			}
			if n != row.n || info != want || err != row.err {
				t.Errorf("%d, %+v, %v, want %d, %+v, %v", n, info, err, row.n, want, row.err)
			}
		})
	}
}

// The socket must not keep the caller's memory alive after the call.
func TestBuffersAreReleased(t *testing.T) {
	s := open(t, Generic)
	req := getFamily(1)
	if err := s.Send(req); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
	for range 2 {
		if err := s.SendVec(req[:8], req[8:]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ReceiveBatch(MakeBatch(4, 4096)); err != nil {
		t.Fatal(err)
	}
	if s.sys.r.slot.iov.Base != nil {
		t.Error("kept after Send or Receive")
	}
	for i := range s.sys.r.slots {
		if s.sys.r.slots[i].iov.Base != nil {
			t.Errorf("slot %d kept after ReceiveBatch", i)
		}
	}
	for i := range s.sys.w.vec {
		if s.sys.w.vec[i].Base != nil {
			t.Errorf("vector %d kept after SendVec", i)
		}
	}
	if s.sys.w.hdr.Iov != nil {
		t.Error("vectors kept after SendVec")
	}
}

// The socket does not keep a buffer alive after the call.
func TestBuffersWithControlMessagesAreReleased(t *testing.T) {
	s := open(t, Generic, WithFlags(PacketInfo))
	for name, receive := range map[string]func(b []byte) error{
		"at once": func(b []byte) error {
			if err := s.Send(getFamily(1)); err != nil {
				return err
			}
			_, _, err := s.Receive(b)
			return err
		},
		"after waiting": func(b []byte) error {
			done := start(func() error {
				_, _, err := s.Receive(b)
				return err
			})
			blocked(t, 1, "IO wait", "receive")
			if err := s.Send(getFamily(1)); err != nil {
				return err
			}
			return <-done
		},
	} {
		if err := receive(make([]byte, BufferSize)); err != nil {
			t.Fatal(err)
		}
		if s.sys.r.slot.iov.Base != nil {
			t.Errorf("%s: the buffer is kept", name)
		}
	}
}
