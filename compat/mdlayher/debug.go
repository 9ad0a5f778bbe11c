package netlink

import (
	"log"
	"os"
	"strconv"
	"strings"
)

// debugArgs contains the settings in NLDEBUG.
var debugArgs = splitArgs(os.Getenv("NLDEBUG"))

func splitArgs(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// A debugger writes the messages of a Conn. The nil debugger writes nothing.
type debugger struct {
	Log    *log.Logger
	Level  int
	Format string
}

// debuggerOf returns the debugger for the settings, or nil if there are none.
func debuggerOf(args []string) *debugger {
	if len(args) == 0 {
		return nil
	}
	return newDebugger(args)
}

// newDebugger returns a debugger for settings of the form key=value. Other settings are ignored.
func newDebugger(args []string) *debugger {
	d := &debugger{Log: log.New(os.Stderr, "nl: ", 0), Level: 1, Format: "mnl"}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		switch {
		case !ok:
		case key == "format":
			d.Format = value
		case key == "level":
			level, err := strconv.Atoi(value)
			if err != nil {
				panicf("netlink: invalid NLDEBUG level: %q", arg)
			}
			d.Level = level
		}
	}
	return d
}

// message writes a sent or received message.
func (d *debugger) message(what string, m Message) {
	switch {
	case d == nil || d.Level < 1:
	case d.Format == "mnl":
		nlmsgFprintf(d.Log.Writer(), m, isTerminal(os.Stdout.Fd()))
	default:
		d.Log.Printf("%s: %+v", what, m)
	}
}

// error writes the error of a send or receive.
func (d *debugger) error(what string, err error) {
	if d != nil && d.Level >= 1 {
		d.Log.Printf("%s: err: %v", what, err)
	}
}
