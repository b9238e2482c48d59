package migrations

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// value is one YAML value with its place. Numbers keep every digit.
type value struct {
	kind  valueKind
	text  string // of a string, or of a number as JSON
	truth bool
	items []value
	pairs []pair
	at    Position
}

type pair struct {
	key   string
	at    Position // of the key
	value value
}

type valueKind int

const (
	nullValue valueKind = iota
	boolValue
	numberValue
	stringValue
	listValue
	mapValue
)

func (k valueKind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a string", "a list", "a mapping"}[k]
}

// find gives a pair by its key, nil when there is none.
func (v *value) find(key string) *pair {
	for i := range v.pairs {
		if v.pairs[i].key == key {
			return &v.pairs[i]
		}
	}
	return nil
}

// json writes the value as JSON, numbers with every digit.
func (v *value) json(b *bytes.Buffer) {
	switch v.kind {
	case boolValue:
		b.WriteString(strconv.FormatBool(v.truth))
	case numberValue:
		b.WriteString(v.text)
	case stringValue:
		writeString(b, v.text)
	case listValue:
		b.WriteByte('[')
		for i := range v.items {
			if i > 0 {
				b.WriteByte(',')
			}
			v.items[i].json(b)
		}
		b.WriteByte(']')
	case mapValue:
		b.WriteByte('{')
		for i := range v.pairs {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, v.pairs[i].key)
			b.WriteByte(':')
			v.pairs[i].value.json(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString("null")
	}
}

// writeString writes a string as JSON without escaping for HTML.
func writeString(b *bytes.Buffer, text string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) == nil { // a string always encodes
		b.Truncate(b.Len() - 1) // the line end
	}
}

// source is one file being read: its lines, and the mistakes found so far.
type source struct {
	file     string
	lines    []string
	problems []Problem
}

func (s *source) fail(at Position, hint, format string, args ...any) {
	p := Problem{At: at, Reason: fmt.Sprintf(format, args...), Hint: hint}
	if at.Line >= 1 && at.Line <= len(s.lines) {
		p.Line = s.lines[at.Line-1]
	}
	s.problems = append(s.problems, p)
}

// err gives the mistakes as an error, nil when there are none.
func (s *source) err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return &SyntaxError{File: s.file, Problems: s.problems}
}

// tree parses the file. ok is false when mistakes were found.
func (s *source) tree(data []byte) (root value, ok bool) {
	file, err := parseYAML(data)
	if err != nil {
		s.syntax(err)
		return value{}, false
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		s.fail(Position{File: s.file, Line: 1, Column: 1}, "", "the file is empty")
		return value{}, false
	case 1:
		root = s.convert(bodies[0], 0)
	default:
		s.fail(s.place(bodies[1]), "", "a second YAML document begins here: one file is one migration")
	}
	return root, len(s.problems) == 0
}

// parseYAML parses, and turns a panic of the parser into an error: a file from
// elsewhere must not end the process.
func parseYAML(data []byte) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	return parser.ParseBytes(data, 0)
}

func (s *source) syntax(err error) {
	at := Position{File: s.file, Line: 1, Column: 1}
	var broken yaml.Error
	if !errors.As(err, &broken) {
		s.fail(at, "", "%v", err)
		return
	}
	if tk := broken.GetToken(); tk != nil && tk.Position != nil {
		at.Line, at.Column = tk.Position.Line, tk.Position.Column
	}
	s.fail(at, "", "%s", broken.GetMessage())
}

func (s *source) place(n ast.Node) Position {
	at := Position{File: s.file}
	// A mapping's own token is the colon of its first pair; its place is the key.
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			n = v.Values[0].Key
		}
	case *ast.MappingValueNode:
		n = v.Key
	}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		at.Line, at.Column = tk.Position.Line, tk.Position.Column
	}
	return at
}

// maxNesting is far beyond what a document holds and far below what a stack does.
const maxNesting = 100

func (s *source) convert(n ast.Node, depth int) value {
	v := value{at: s.place(n)}
	if depth > maxNesting {
		s.fail(v.at, "", "nested more than %d deep", maxNesting)
		return v
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		v.kind, v.truth = boolValue, n.Value
	case *ast.StringNode:
		v.kind, v.text = stringValue, n.Value
		// The parser gives up on long numbers and on exponents without a point.
		if n.Token.Type == token.StringType && jsonNumber.MatchString(n.Value) {
			v.kind = numberValue
		}
	case *ast.LiteralNode:
		v.kind, v.text = stringValue, n.Value.Value
	case *ast.IntegerNode:
		v.kind, v.text = numberValue, s.integer(n.Token.Value, v.at)
	case *ast.FloatNode:
		v.kind, v.text = numberValue, s.float(n.Token.Value, v.at)
	case *ast.InfinityNode, *ast.NanNode:
		s.fail(v.at, "", "Appwrite holds no infinity and no not-a-number")
	case *ast.SequenceNode:
		v.kind, v.items = listValue, make([]value, 0, len(n.Values))
		for _, item := range n.Values {
			v.items = append(v.items, s.convert(item, depth+1))
		}
	case *ast.MappingNode:
		v.kind = mapValue
		for _, mv := range n.Values {
			s.pair(&v, mv, depth)
		}
	case *ast.MappingValueNode:
		v.kind = mapValue
		s.pair(&v, n, depth)
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		s.fail(v.at, "", "anchors, aliases and merge keys are not taken: write the value out")
	case *ast.TagNode:
		s.fail(v.at, "", "tags are not taken: quote the value if it is text")
	default:
		s.fail(v.at, "", "%v is not taken here", n.Type())
	}
	return v
}

func (s *source) pair(v *value, n *ast.MappingValueNode, depth int) {
	at := s.place(n.Key)
	var key string
	switch k := n.Key.(type) {
	case *ast.StringNode:
		key = k.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		key = k.GetToken().Value
	default:
		s.fail(at, "", "a key must be a word")
		return
	}
	if v.find(key) != nil {
		s.fail(at, "", "%q is given twice", key)
		return
	}
	v.pairs = append(v.pairs, pair{key: key, at: at, value: s.convert(n.Value, depth+1)})
}

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	octalLike  = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

// integer writes a YAML integer as JSON.
func (s *source) integer(text string, at Position) string {
	if octalLike.MatchString(text) {
		s.fail(at, "", "%s can be read as octal or as decimal: quote it if it is text, leave out the leading zeros if it is a number", text)
		return "0"
	}
	plain := strings.ReplaceAll(strings.TrimPrefix(text, "+"), "_", "")
	n, ok := new(big.Int).SetString(plain, 0)
	if !ok {
		s.fail(at, "", "%s is not a number", text)
		return "0"
	}
	return n.String()
}

// float writes a YAML float as JSON, without going through a float.
func (s *source) float(text string, at Position) string {
	plain := strings.ReplaceAll(strings.TrimPrefix(text, "+"), "_", "")
	sign := ""
	if rest, negative := strings.CutPrefix(plain, "-"); negative {
		sign, plain = "-", rest
	}
	if strings.HasPrefix(plain, ".") {
		plain = "0" + plain
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(plain), "e")
	mantissa = strings.TrimSuffix(mantissa, ".")
	if scientific {
		mantissa += "e" + exponent
	}
	if !jsonNumber.MatchString(sign + mantissa) {
		s.fail(at, "", "%s is not a number", text)
		return "0"
	}
	return sign + mantissa
}
