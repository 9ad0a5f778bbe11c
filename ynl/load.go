package ynl

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the limit for the size of a spec in bytes. The largest spec of Linux 7.3 has 80 KB.
const MaxSize = 1 << 20

// Load reads a spec from a file. The error is Errors, or an error of reading the file.
func Load(file string) (*Spec, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	return parseFile(file, f)
}

// LoadFS is Load for a file in fsys.
func LoadFS(fsys fs.FS, file string) (*Spec, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, err
	}
	return parseFile(file, f)
}

// parseFile reads a spec from an open file and closes it.
func parseFile(name string, f io.ReadCloser) (*Spec, error) {
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	return Parse(name, text)
}

// LoadDir reads the files of a directory whose names end in .yaml, sorted by name. It returns the
// valid specs, also with an error; the error has the problems of all files.
func LoadDir(dir string) ([]*Spec, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var specs []*Spec
	var problems Errors
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		spec, err := Load(filepath.Join(dir, e.Name()))
		if list, ok := err.(Errors); ok {
			problems = append(problems, list...)
			continue
		}
		if err != nil {
			return specs, err
		}
		specs = append(specs, spec)
	}
	if problems != nil {
		return specs, problems
	}
	return specs, nil
}

// Parse reads a spec from text. The name of the file is only used in errors, which are Errors.
func Parse(file string, text []byte) (*Spec, error) {
	if len(text) > MaxSize {
		return nil, Errors{{File: file, Text: fmt.Sprintf("more than %d bytes: not a netlink spec", MaxSize)}}
	}
	b := newBuilder(file)
	root := b.parseYAML(text)
	if root != nil {
		r := resolver{b, map[*yaml.Node]int{}}
		if _, ok := r.resolve(root, 0); ok {
			b.family(root)
		}
	}
	return b.finish()
}

// parseYAML returns the only document of text, or nil after an error.
func (b *builder) parseYAML(text []byte) (root *yaml.Node) {
	// The YAML library returns most errors, but panics on some malformed input.
	defer func() {
		if p := recover(); p != nil {
			b.errorf(pos{}, "malformed YAML: %v", p)
			root = nil
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err != nil {
		b.syntaxError(text, err)
		return nil
	}
	if err := d.Decode(&second); err == nil {
		b.errorf(pos{second.Line, max(second.Column, 1)}, "second document: a spec is a single document")
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		b.errorf(pos{1, 1}, "no spec in the file")
		return nil
	}
	return doc.Content[0]
}

// syntaxError reports an error of the YAML library. The text of the error has the line.
func (b *builder) syntaxError(text []byte, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	at := pos{1, 1}
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, reason, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			at, message = pos{line, 1}, reason
		}
	} else if rest, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name, _, _ := strings.Cut(rest, "'")
		at = place(text, "*"+name)
		message = "alias without an earlier anchor"
	} else if message == "EOF" {
		message = "no spec in the file"
	}
	b.errorf(at, "malformed YAML: %s", message)
}

// place returns the position of the first occurrence of s in text.
func place(text []byte, s string) pos {
	i := bytes.Index(text, []byte(s))
	if i < 0 {
		return pos{1, 1}
	}
	before := text[:i]
	return pos{bytes.Count(before, []byte("\n")) + 1, i - bytes.LastIndexByte(before, '\n')}
}

// Limits for the YAML of a spec. The specs of Linux have up to 11 levels and 24,000 nodes.
const (
	maxNesting = 32
	maxNodes   = 1 << 18
)

// resolver replaces aliases by their anchors' nodes, and rejects tags and merge keys, which specs
// do not use. 26 of the 33 specs of Linux 7.3.4 repeat lists of attributes by aliases. Errors are an
// alias inside its own anchor, and aliases that expand to more than maxNodes nodes.
type resolver struct {
	b     *builder
	sizes map[*yaml.Node]int // number of nodes of each subtree with expanded aliases; 0 while counting
}

// resolve returns the number of nodes of the subtree n, and whether it is valid.
func (r *resolver) resolve(n *yaml.Node, depth int) (int, bool) {
	size, visited := r.sizes[n]
	switch {
	case visited && size == 0:
		return r.reject(n, "alias inside its own anchor")
	case visited:
		return size, true
	case depth > maxNesting:
		return r.reject(n, fmt.Sprintf("nested deeper than %d levels", maxNesting))
	case n.Style&yaml.TaggedStyle != 0:
		return r.reject(n, "tags are not part of the format")
	case n.Tag == "!!merge":
		return r.reject(n, "merge keys are not part of the format")
	}
	r.sizes[n] = 0
	size = 1
	for i, c := range n.Content {
		where := c
		if c.Kind == yaml.AliasNode {
			c = c.Alias
			n.Content[i] = c
		}
		below, ok := r.resolve(c, depth+1)
		if !ok {
			return 0, false
		}
		if size += below; size > maxNodes {
			return r.reject(where, fmt.Sprintf("more than %d nodes with its aliases expanded", maxNodes))
		}
	}
	r.sizes[n] = size
	return size, true
}

func (r *resolver) reject(n *yaml.Node, why string) (int, bool) {
	r.b.errorf(at(n), "%s", why)
	return 0, false
}
