package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// petSpec is a family with a do, a dump, a flag, a nest and an error.
const petSpec = `name: pets
protocol: genetlink
doc: x
attribute-sets:
  -
    name: toy
    attributes:
      - {name: label, type: string, checks: {max-len: 4}}
      - {name: count, type: u32}
  -
    name: pet
    attributes:
      - {name: id, type: u32, checks: {max: 9}}
      - {name: name, type: string}
      - {name: tame, type: flag}
      - {name: toys, type: nest, nested-attributes: toy}
operations:
  list:
    -
      name: get
      doc: x
      attribute-set: pet
      do:
        request: {attributes: [id]}
        reply: {attributes: [id, name, tame, toys]}
      dump:
        reply: {attributes: [id, name]}
    -
      name: remove
      doc: x
      attribute-set: pet
      do:
        request: {attributes: [id, toys]}
    -
      name: pet-ntf
      doc: x
      notify: get
      mcgrp: news
mcast-groups:
  list:
    - {name: news}
`

// A family of a spec can be called by name, with sample replies and with those of a file.
func TestServeSpec(t *testing.T) {
	dir := t.TempDir()
	spec, replies := filepath.Join(dir, "pets.yaml"), filepath.Join(dir, "replies.json")
	for file, text := range map[string]string{
		spec:    petSpec,
		replies: `{"get": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}], "remove": {"errno": 16, "message": "it sleeps"}}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sample := start(t, "serve", "-spec", spec)
	canned := start(t, "serve", "-spec", spec, "-replies", replies)
	samplePort, cannedPort := sample.line(t), canned.line(t)
	for _, tt := range []struct {
		port, args string
		code       int
		want       string
	}{
		{samplePort, "show pets", exitOK, "2 operations\n  1  get     do dump policy\n  2  remove  do policy\n\n1 multicast groups\n  2  news\n"},
		{samplePort, "policy pets", exitOK, "  1  id  u32 of 0..9\n"},
		{samplePort, "call pets get id=1 -json", exitOK, `{"id": 1, "name": "name", "tame": true, "toys": {"label": "labe", "count": 1}}` + "\n"},
		{samplePort, "call pets remove id=1 toys.label=ball", exitOK, "success, without a reply\n"},
		{samplePort, "call pets get id=10", exitError, "call pets get: numerical result out of range: integer out of range: attribute 1 (id)"},
		{samplePort, "call pets get -check id=10", exitError, "not sent: numerical result out of range: integer out of range: attribute id"},
		{samplePort, "call pets remove toys.label=balls", exitError, "(toys.label)"},
		{cannedPort, "call pets get id=1", exitOK, "get\n  id  1\n  name  \"cat\"\n"},
		{cannedPort, "call pets get -dump -json", exitOK, `{"id": 1, "name": "cat"}` + "\n" + `{"id": 2, "name": "dog"}` + "\n"},
		{cannedPort, "call pets remove id=1", exitError, "device or resource busy: it sleeps"},
	} {
		code, stdout, stderr := nlctl(t, append([]string{"-bus", tt.port, "-spec", spec}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s%s", tt.args, code, tt.code, tt.want, stdout, stderr)
		}
	}
	for _, p := range []*process{sample, canned} {
		if code := p.end(t, os.Interrupt); code != exitOK || p.stderr.Len() > 0 {
			t.Errorf("exit %d, stderr %q", code, p.stderr.String())
		}
	}
}

func TestServeSpecRefuses(t *testing.T) {
	dir := t.TempDir()
	spec, file := filepath.Join(dir, "pets.yaml"), filepath.Join(dir, "file")
	if err := os.WriteFile(spec, []byte(petSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"get":`:                    "file: malformed JSON at byte 7",
		`[]`:                         "file: the file must contain an object of JSON",
		`{"fetch": {}}`:              `-replies: no family has the operation "fetch"`,
		`{"get": {"bogus": 1}}`:      `get: bogus: no attribute "bogus"`,
		`{"get": {"errno": "x"}}`:    `errno "x" is not a number from 1 to 4095`,
		`{"get": {"toys": {"x":1}}}`: "toys.x",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := nlctl(t, "serve", "-spec", spec, "-replies", file); code != exitError || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, stderr %q, want %q", text, code, stderr, want)
		}
	}
	for args, want := range map[string]string{
		"serve -replies x":    "-replies needs -spec",
		"serve -spec /nosuch": "/nosuch: no such file",
		"serve -spec " + file: "file:1:",
	} {
		if code, _, stderr := nlctl(t, strings.Fields(args)...); code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
}
