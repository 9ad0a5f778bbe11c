package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
)

// event is the JSON of a notification, one per line.
type event struct {
	Event  string  `json:"event"`
	Family *family `json:"family,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// eventNames are the JSON names of the controller's commands.
var eventNames = map[uint8]string{
	genlmsg.CtrlCmdNewFamily:         "new-family",
	genlmsg.CtrlCmdDelFamily:         "del-family",
	genlmsg.CtrlCmdNewMulticastGroup: "new-group",
	genlmsg.CtrlCmdDelMulticastGroup: "del-group",
}

// watch prints the controller's notifications until it is interrupted.
func watch(ctx context.Context, c *cli.Command) error {
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	client, err := open(c)
	if err != nil {
		return err
	}
	defer client.close()
	for e, err := range client.Watch(ctx) {
		if ctx.Err() != nil {
			return nil // interrupted: the normal end
		}
		var loss *conn.LossError
		if err != nil && !errors.As(err, &loss) && !errors.Is(err, ctrl.ErrNotFamily) {
			return err
		}
		if err := printEvent(c, e, err); err != nil {
			return err
		}
	}
	return nil
}

// printEvent prints a notification, or the error that replaces one.
func printEvent(c *cli.Command, e ctrl.Event, failure error) error {
	w := c.Root().Writer
	if !c.Bool("json") {
		text := e.String()
		if failure != nil {
			text = failure.Error()
		}
		_, err := fmt.Fprintln(w, strings.Map(printableRune, text))
		return err
	}
	if failure != nil {
		return newEncoder(w).Encode(event{Event: "error", Error: failure.Error()})
	}
	f := newFamily(e.Family)
	return newEncoder(w).Encode(event{Event: eventNames[e.Cmd], Family: &f})
}
