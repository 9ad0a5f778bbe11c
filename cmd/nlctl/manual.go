package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

// manual prints the manual page, which it makes from the help texts.
func manual(_ context.Context, c *cli.Command) error {
	root := c.Root()
	w := &roff{}
	w.line(".TH NLCTL 8")
	w.section("NAME")
	w.text("nlctl \\- " + escapeRoff(root.Usage))
	w.section("SYNOPSIS")
	w.line(".B nlctl")
	w.text("[OPTION ...] COMMAND [OPTION ...] [ARGUMENT ...]")
	w.section("DESCRIPTION")
	w.text("The options of nlctl precede the command. The exit status is 0 for success; 1 if the kernel, the bus or the system reports an error, or a file is malformed; 2 if the command line is invalid.")
	w.flags(root.Flags)
	w.section("COMMANDS")
	for _, sub := range root.Commands {
		if sub.Hidden || sub.Name == "help" {
			continue
		}
		w.line(".SS " + escapeRoff(strings.TrimSpace(sub.Name+" "+sub.ArgsUsage)))
		w.text(escapeRoff(strings.ToUpper(sub.Usage[:1]) + sub.Usage[1:] + "."))
		w.verbatim(sub.Description)
		w.flags(sub.Flags)
	}
	w.section("ENVIRONMENT")
	w.item("NLCTL_SPECS", "files and directories of specs, separated by colons; see -spec")
	w.item("NO_COLOR", "if it is not empty, the output has no colors")
	w.section("FILES")
	w.item(systemSpecs, "specs of the system's kernel; they take precedence over the built-in names")
	_, err := fmt.Fprint(root.Writer, w.String())
	return err
}

// roff writes a page in the format of man(7).
type roff struct{ strings.Builder }

func (w *roff) line(text string)    { w.WriteString(text + "\n") }
func (w *roff) section(name string) { w.line(".SH " + name) }
func (w *roff) text(text string)    { w.line(text) }

// item writes a term with its description.
func (w *roff) item(term, text string) {
	w.line(".TP")
	w.line(".B " + escapeRoff(term))
	w.line(escapeRoff(text))
}

// verbatim writes a text with its line breaks.
func (w *roff) verbatim(text string) {
	if text == "" {
		return
	}
	w.line(".PP\n.nf")
	for line := range strings.Lines(text) {
		w.line(escapeRoff(strings.TrimRight(line, "\n")))
	}
	w.line(".fi")
}

// flags writes the options of a command.
func (w *roff) flags(flags []cli.Flag) {
	for _, f := range flags {
		name := f.Names()[0]
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok || name == "help" || name == "generate-shell-completion" {
			continue
		}
		usage := doc.GetUsage()
		placeholder := ""
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			if word, after, ok := strings.Cut(rest, "`"); ok {
				placeholder, usage = " "+word, before+word+after
			}
		}
		w.item("-"+name+placeholder, usage)
	}
}

// escapeRoff escapes the characters that have a meaning in man(7).
func escapeRoff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
