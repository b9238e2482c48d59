package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// A node is one JSON value with its place in the file. Numbers keep the text
// they were written with, objects the order and the repetitions of their members.
type node struct {
	kind    kind
	text    string // of a string, or of a number as written
	truth   bool
	items   []*node
	members []member
	at      Position
	raw     []byte // as it stands in the file; nil for a value made here
}

type member struct {
	key   string
	value *node
}

type kind int

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "a string", "a list", "an object"}[k]
}

// maxDepth is far beyond what a project file needs and far below what a stack holds.
const maxDepth = 200

// parseTree reads one JSON document.
func parseTree(file string, data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := &treeParser{file: file, data: data, lines: lineStarts(data)}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, p.fail(0, "$", "the file is UTF-16: save it as UTF-8")
	}
	if !utf8.Valid(data) {
		return nil, p.fail(invalidUTF8(data), "$", "the file is not valid UTF-8")
	}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	root, err := p.value("$", 0)
	if err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, p.fail(p.dec.InputOffset(), "$", "text after the end of the JSON document")
	}
	return root, nil
}

type treeParser struct {
	file  string
	data  []byte
	lines []int
	dec   *json.Decoder
}

func (p *treeParser) value(path string, depth int) (*node, error) {
	start := p.next()
	n, err := p.token(start, path, depth)
	if err == nil {
		n.raw = p.data[start:p.dec.InputOffset()]
	}
	return n, err
}

func (p *treeParser) token(start int64, path string, depth int) (*node, error) {
	at := p.position(start, path)
	if depth > maxDepth {
		return nil, p.fail(start, path, fmt.Sprintf("nested more than %d deep", maxDepth))
	}
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.syntax(path, err)
	}
	switch t := token.(type) {
	case nil:
		return &node{kind: kindNull, at: at}, nil
	case bool:
		return &node{kind: kindBool, truth: t, at: at}, nil
	case json.Number:
		return &node{kind: kindNumber, text: t.String(), at: at}, nil
	case string:
		return &node{kind: kindString, text: t, at: at}, nil
	case json.Delim:
		if t == '[' {
			return p.list(path, at, depth)
		}
		return p.object(path, at, depth)
	default:
		return nil, p.fail(start, path, "unexpected token")
	}
}

func (p *treeParser) list(path string, at Position, depth int) (*node, error) {
	list := &node{kind: kindList, at: at}
	for p.dec.More() {
		item, err := p.value(path+"["+strconv.Itoa(len(list.items))+"]", depth+1)
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, item)
	}
	if _, err := p.dec.Token(); err != nil {
		return nil, p.syntax(path, err)
	}
	return list, nil
}

func (p *treeParser) object(path string, at Position, depth int) (*node, error) {
	object := &node{kind: kindObject, at: at}
	for p.dec.More() {
		token, err := p.dec.Token()
		if err != nil {
			return nil, p.syntax(path, err)
		}
		key, _ := token.(string) // the decoder refuses any other key
		value, err := p.value(join(path, key), depth+1)
		if err != nil {
			return nil, err
		}
		object.members = append(object.members, member{key: key, value: value})
	}
	if _, err := p.dec.Token(); err != nil {
		return nil, p.syntax(path, err)
	}
	return object, nil
}

// next gives the offset of the value that follows.
func (p *treeParser) next() int64 {
	at := p.dec.InputOffset()
	for at < int64(len(p.data)) && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[at]) >= 0 {
		at++
	}
	return at
}

func (p *treeParser) syntax(path string, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return p.fail(max(syntax.Offset-1, 0), path, "not JSON: "+syntax.Error())
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return p.fail(int64(len(p.data)), path, "not JSON: the file ends too early")
	}
	return p.fail(p.dec.InputOffset(), path, "not JSON: "+err.Error())
}

func (p *treeParser) fail(offset int64, path, reason string) error {
	return &RefusedError{File: p.file, Problems: []Problem{{At: p.position(offset, path), Reason: reason}}}
}

func (p *treeParser) position(offset int64, path string) Position {
	line := 0
	for lo, hi := 0, len(p.lines); lo < hi; {
		mid := (lo + hi) / 2
		if int64(p.lines[mid]) <= offset {
			line, lo = mid, mid+1
		} else {
			hi = mid
		}
	}
	return Position{File: p.file, Path: path, Line: line + 1, Column: int(offset) - p.lines[line] + 1}
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, b := range data {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

func invalidUTF8(data []byte) int64 {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return int64(i)
		}
		i += size
	}
	return int64(len(data))
}

// plainKey matches keys that a JSON path may name after a dot.
var plainKey = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func join(path, key string) string {
	if plainKey.MatchString(key) {
		return path + "." + key
	}
	return path + "[" + strconv.Quote(key) + "]"
}
