package replay

import (
	"fmt"
	"net/url"
	"strings"
)

// Mismatch is an exchange that the server under test answered otherwise.
type Mismatch struct {
	Line     int // 1-based, in the recording's file
	Exchange Exchange
	Diffs    []string
}

// String shows the request and every difference.
func (m Mismatch) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "line %d: %s %s", m.Line, m.Exchange.Request.Method, readable(m.Exchange.Request.Path))
	if body := m.Exchange.Request.Body; len(body) > 0 && string(body) != "null" {
		fmt.Fprintf(&text, " %s", show(body))
	}
	if raw := m.Exchange.Request.RawBody; raw != nil {
		fmt.Fprintf(&text, " raw %s", show(*raw))
	}
	if m.Exchange.Note != "" {
		fmt.Fprintf(&text, "   (%s)", m.Exchange.Note)
	}
	for _, diff := range m.Diffs {
		fmt.Fprintf(&text, "\n    %s", diff)
	}
	return text.String()
}

func readable(path string) string {
	if plain, err := url.QueryUnescape(path); err == nil {
		return plain
	}
	return path
}
