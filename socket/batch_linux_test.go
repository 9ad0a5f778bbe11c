package socket

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMakeBatch(t *testing.T) {
	batch := MakeBatch(3, 100)
	if len(batch) != 3 {
		t.Fatalf("%d places", len(batch))
	}
	for i := range batch {
		if len(batch[i].Buf) != 100 || cap(batch[i].Buf) != 100 {
			t.Errorf("place %d: length %d, capacity %d", i, len(batch[i].Buf), cap(batch[i].Buf))
		}
	}
}

// texts makes n datagrams.
func texts(n int) [][]byte {
	var all [][]byte
	for i := range n {
		all = append(all, fmt.Appendf(nil, "datagram %d", i))
	}
	return all
}

func TestBatchBetweenSockets(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	sent := texts(5)
	if n, err := from.SendBatchTo(sent, Addr{PortID: to.PortID()}); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	batch := MakeBatch(3, 100)
	for k := 0; k < len(sent); {
		n, err := to.ReceiveBatch(batch)
		if want := min(3, 5-k); n != want || err != nil {
			t.Fatalf("%d, %v, want %d", n, err, want)
		}
		for i := range n {
			d := &batch[i]
			want := Info{PortID: from.PortID(), Size: len(sent[k])}
			if !bytes.Equal(d.Bytes(), sent[k]) || d.Info != want || d.Err != nil {
				t.Errorf("%q, %+v, %v, want %q", d.Bytes(), d.Info, d.Err, sent[k])
			}
			k++
		}
	}
}

func TestBatchToTheKernel(t *testing.T) {
	const requests = 10
	s := open(t, Generic)
	var reqs [][]byte
	for i := range requests {
		reqs = append(reqs, getFamily(uint32(i)))
	}
	if n, err := s.SendBatch(reqs); n != requests || err != nil {
		t.Fatal(n, err)
	}
	batch := MakeBatch(2*requests, 4096)
	n, err := s.ReceiveBatch(batch)
	if n != requests || err != nil { // all answers were there
		t.Fatal(n, err)
	}
	for i := range n {
		if seq := msgSeq(batch[i].Bytes()); seq != uint32(i) || batch[i].Info.PortID != 0 {
			t.Errorf("place %d: number %d, %+v", i, seq, batch[i].Info)
		}
	}
}

func TestBatchWaitsForOne(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	batch := MakeBatch(4, 100)
	done := start(func() error {
		n, err := to.ReceiveBatch(batch)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d datagrams", n)
		}
		return err
	})
	blocked(t, 1, onPoller, "socket.(*Socket).ReceiveBatch")
	if err := from.SendTo([]byte("one"), Addr{PortID: to.PortID()}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || string(batch[0].Bytes()) != "one" {
		t.Errorf("%v, %q", err, batch[0].Bytes())
	}
}

func TestBatchCutsEachForItself(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	if _, err := from.SendBatchTo(texts(3), Addr{PortID: to.PortID()}); err != nil {
		t.Fatal(err)
	}
	batch := MakeBatch(3, 100)
	batch[1].Buf = batch[1].Buf[:4]
	n, err := to.ReceiveBatch(batch)
	if n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for i, want := range []error{nil, ErrTruncated, nil} {
		if batch[i].Err != want || batch[i].Info.Size != 10 {
			t.Errorf("place %d: %v, %+v, want %v", i, batch[i].Err, batch[i].Info, want)
		}
	}
	if got := string(batch[1].Bytes()); got != "data" {
		t.Errorf("%q", got)
	}
}

// Results of an earlier use must not shine through.
func TestBatchIsReusable(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	batch := MakeBatch(2, 100)
	batch[0] = Datagram{Buf: batch[0].Buf, N: 99, Info: Info{Group: 7, HasNSID: true}, Err: ErrSender}
	for range 3 {
		if _, err := from.SendBatchTo(texts(1), Addr{PortID: to.PortID()}); err != nil {
			t.Fatal(err)
		}
		n, err := to.ReceiveBatch(batch)
		want := Info{PortID: from.PortID(), Size: 10}
		if n != 1 || err != nil || batch[0].N != 10 || batch[0].Info != want || batch[0].Err != nil {
			t.Errorf("%d, %v, %+v", n, err, batch[0])
		}
	}
}

func TestEmptyBatches(t *testing.T) {
	s := open(t, Generic)
	if n, err := s.SendBatch(nil); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := s.SendBatchTo(nil, Addr{Groups: 1}); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := s.ReceiveBatch(nil); n != 0 || err != nil { // does not wait
		t.Error(n, err)
	}
}

// Batches of any length are sent; the kernel takes 1024 at a time, and so does
// a receiver.
func TestBatchesBeyondTheKernelsLimit(t *testing.T) {
	const count = 2*maxBatch + 10
	from := open(t, UserSock)
	to := open(t, UserSock, WithReceiveBuffer(8<<20))
	done := start(func() error {
		n, err := from.SendBatchTo(texts(count), Addr{PortID: to.PortID()})
		if err == nil && n != count {
			err = fmt.Errorf("%d sent", n)
		}
		return err
	})
	batch := MakeBatch(count, 32)
	for got := 0; got < count; {
		n, err := to.ReceiveBatch(batch)
		if err != nil || n > maxBatch {
			t.Fatal(n, err)
		}
		for i := range n {
			if want := fmt.Sprintf("datagram %d", got+i); string(batch[i].Bytes()) != want {
				t.Fatalf("%q, want %q", batch[i].Bytes(), want)
			}
		}
		got += n
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestBatchReportsWhatWasSent(t *testing.T) {
	s := open(t, Generic)
	reqs := [][]byte{getFamily(1), getFamily(2), {}, getFamily(4)} // no empty ones
	n, err := s.SendBatch(reqs)
	is(t, err, unix.ENODATA, "sendmmsg")
	if n != 2 {
		t.Errorf("%d sent, want 2", n)
	}
	batch := MakeBatch(4, 4096)
	if n, err := s.ReceiveBatch(batch); n != 2 || err != nil {
		t.Errorf("%d answers, %v", n, err)
	}
}

func TestBatchToGroups(t *testing.T) {
	hearer := hearers(t, 1, 8, WithFlags(PacketInfo))[0]
	from := open(t, UserSock)
	if n, err := from.SendBatchTo(texts(3), Addr{Groups: 1 << 7}); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	batch := MakeBatch(9, 100)
	n, err := hearer.ReceiveBatch(batch)
	if n != 3 || err != nil { // each of them once
		t.Fatal(n, err)
	}
	for i := range n {
		if batch[i].Info.Group != 8 {
			t.Errorf("place %d: %+v", i, batch[i].Info)
		}
	}
	n, err = from.SendBatchTo(texts(3), Addr{PortID: 1<<31 - 5, Groups: 1 << 7})
	is(t, err, unix.ECONNREFUSED, "sendmmsg")
	if n != 0 {
		t.Errorf("%d sent", n)
	}
}

// A full peer makes a batch wait in the middle; nothing is lost or doubled.
func TestBatchWaitsForRoom(t *testing.T) {
	const count = 40
	from, to := open(t, UserSock), open(t, UserSock, WithReceiveBuffer(1))
	done := start(func() error {
		n, err := from.SendBatchTo(texts(count), Addr{PortID: to.PortID()})
		if err == nil && n != count {
			err = fmt.Errorf("%d sent", n)
		}
		return err
	})
	blocked(t, 1, onSelect, inPause)
	for i := range count {
		if b, _ := receive(t, to); string(b) != fmt.Sprintf("datagram %d", i) {
			t.Fatalf("%q at %d", b, i)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	nothing(t, to)
}

func TestDeadlineEndsABatch(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock, WithReceiveBuffer(1))
	sent := 0
	done := start(func() (err error) {
		sent, err = from.SendBatchTo(texts(100), Addr{PortID: to.PortID()})
		return err
	})
	blocked(t, 1, onSelect, inPause)
	if err := from.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrDeadlineExceeded, "sendmmsg")
	if sent == 0 || sent == 100 {
		t.Errorf("%d sent", sent)
	}
}
