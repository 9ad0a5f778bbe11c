package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress is a reader of a file that shows on a terminal how much of it has been read.
type progress struct {
	*os.File
	w     io.Writer
	size  int64
	done  int64
	start time.Time
	shown time.Time
}

// minProgress is the size of a file from which on progress is shown, and progressEvery the
// time between two updates.
const (
	minProgress   = 16 << 20
	progressEvery = 200 * time.Millisecond
)

// newProgress returns a reader of the file. It shows the progress if the standard error is
// a terminal and the standard output is not.
func newProgress(file *os.File, stdout *output, stderr io.Writer) io.Reader {
	info, err := file.Stat()
	if err != nil || info.Size() < minProgress || terminalWidth(stderr) == 0 || stdout.width > 0 {
		return file
	}
	now := time.Now()
	return &progress{File: file, w: stderr, size: info.Size(), start: now, shown: now}
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	p.done += int64(n)
	now := time.Now()
	switch {
	case err != nil:
		fmt.Fprint(p.w, "\r\x1b[K") // clears the line
	case now.Sub(p.shown) > progressEvery:
		p.shown = now
		speed := float64(p.done) / now.Sub(p.start).Seconds() / 1e6
		fmt.Fprintf(p.w, "\r%3d %% of %d MB, %.0f MB/s\x1b[K", 100*p.done/p.size, p.size/1_000_000, speed)
	}
	return n, err
}
