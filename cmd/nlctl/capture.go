package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v3"
)

const captureHelp = `nlctl capture records the messages of all processes and protocols, in both directions. It
needs the kernel's nlmon device (CONFIG_NLMON, module nlmon) and CAP_NET_ADMIN. It makes a
device and removes it at the end, or uses the one of -i.

With -w it writes a capture that Wireshark, tshark and nlctl decode read, otherwise it
prints the messages.`

const captureExamples = `   nlctl capture
   nlctl capture -w FILE
   nlctl capture -w - | tshark -r -`

func captureFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "w", Usage: "write the datagrams to `FILE` as a capture, \"-\" is the standard output"},
		&cli.StringFlag{Name: "i", Usage: "use the nlmon device `NAME` instead of a new one"},
	}
}

// capture records the datagrams of an nlmon device until it is interrupted.
func capture(ctx context.Context, c *cli.Command) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	if c.IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with capture, which records the traffic of the kernel")}
	}
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	device, err := openMonitor(ctx, c.String("i"))
	if err != nil {
		return err
	}
	defer device.close()
	show, end, err := newShow(c, specs, nil)
	if err != nil {
		return err
	}
	return errors.Join(device.receive(ctx, show), end())
}
