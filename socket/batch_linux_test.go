package socket

import (
	"bytes"
	"fmt"
	"testing"
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

// sendAll sends datagrams from one socket to another.
func sendAll(t *testing.T, from, to *Socket, datagrams [][]byte) {
	t.Helper()
	if err := sendEach(from, to, datagrams); err != nil {
		t.Fatal(err)
	}
}

func sendEach(from, to *Socket, datagrams [][]byte) error {
	for i, b := range datagrams {
		if err := from.SendTo(b, Addr{PortID: to.PortID()}); err != nil {
			return fmt.Errorf("datagram %d: %w", i, err)
		}
	}
	return nil
}

func TestBatchBetweenSockets(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	sent := texts(5)
	sendAll(t, from, to, sent)
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

func TestBatchOfReplies(t *testing.T) {
	const requests = 10
	s := open(t, Generic)
	for i := range requests {
		if err := s.Send(getFamily(uint32(i))); err != nil {
			t.Fatal(err)
		}
	}
	batch := MakeBatch(2*requests, 4096)
	n, err := s.ReceiveBatch(batch)
	if n != requests || err != nil { // all answers are queued
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
	sendAll(t, from, to, texts(3))
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

// Results of an earlier use must not remain visible.
func TestBatchIsReusable(t *testing.T) {
	from, to := open(t, UserSock), open(t, UserSock)
	batch := MakeBatch(2, 100)
	batch[0] = Datagram{Buf: batch[0].Buf, N: 99, Info: Info{Group: 7, HasNSID: true}, Err: ErrSender}
	for range 3 {
		sendAll(t, from, to, texts(1))
		n, err := to.ReceiveBatch(batch)
		want := Info{PortID: from.PortID(), Size: 10}
		if n != 1 || err != nil || batch[0].N != 10 || batch[0].Info != want || batch[0].Err != nil {
			t.Errorf("%d, %v, %+v", n, err, batch[0])
		}
	}
}

func TestEmptyBatch(t *testing.T) {
	s := open(t, Generic)
	if n, err := s.ReceiveBatch(nil); n != 0 || err != nil { // does not wait
		t.Error(n, err)
	}
}

// The kernel fills at most 1024 elements per call.
func TestBatchesBeyondTheKernelsLimit(t *testing.T) {
	const count = 2*maxBatch + 10
	from := open(t, UserSock)
	to := open(t, UserSock, WithReceiveBuffer(8<<20))
	done := start(func() error { return sendEach(from, to, texts(count)) })
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

// A full peer makes a sender wait repeatedly. No datagram is lost or duplicated.
func TestManySendsWaitForRoom(t *testing.T) {
	const count = 40
	from, to := open(t, UserSock), open(t, UserSock, WithReceiveBuffer(1))
	done := start(func() error { return sendEach(from, to, texts(count)) })
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
