// Package replay plays recorded exchanges with real Appwrite servers against a
// server under test and reports where the answers differ.
//
// One recording is one scenario through one API family: a list of requests with
// the answers a real server of one version gave, in order. Values that no two
// servers share (times, generated ids, sequences, texts) stand as placeholders,
// which are bound on first sight and must stay the same from then on. The format
// is described in testdata/recordings/README.md.
package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Recording is one scenario, recorded from one server version through one dialect.
type Recording struct {
	Version   string // "1.9.6"
	Dialect   string // "legacy" or "tablesdb"
	Scenario  string // "doc_put"
	Exchanges []Exchange
}

// Name identifies the recording: "1.9.6/legacy/doc_put".
func (r Recording) Name() string {
	return r.Version + "/" + r.Dialect + "/" + r.Scenario
}

// Exchange is one request and the answer the real server gave.
type Exchange struct {
	Request  Request  `json:"request"`
	Response Response `json:"response"`
	Await    *Await   `json:"await,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Request is a recorded request. At most one of Body and RawBody is set.
type Request struct {
	Method string `json:"method"`
	// Path is relative to the endpoint and holds the query string, percent-encoded.
	Path string `json:"path"`
	// Body is JSON, kept byte for byte because key order and number forms matter.
	Body json.RawMessage `json:"body"`
	// RawBody is sent as it is, valid JSON or not.
	RawBody *string `json:"rawBody,omitempty"`
	// Headers differ from the normal set; nil means the header was left out.
	Headers map[string]*string `json:"headers,omitempty"`
}

// Response is a recorded answer.
type Response struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// Await marks an exchange that was sent only after asynchronous work had ended.
type Await struct {
	Until string `json:"until"` // available, gone, failed or stuck
}

// parse reads one NDJSON file. Its base name is "<scenario>.<dialect>.ndjson".
func parse(version, base string, r io.Reader) (Recording, error) {
	scenario, dialect, ok := strings.Cut(strings.TrimSuffix(base, extension), ".")
	if !ok {
		return Recording{}, fmt.Errorf("recording %s/%s: want a name like scenario.dialect%s", version, base, extension)
	}
	rec := Recording{Version: version, Dialect: dialect, Scenario: scenario}
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var exchange Exchange
			if err := json.Unmarshal(line, &exchange); err != nil {
				return Recording{}, fmt.Errorf("recording %s line %d: %w", rec.Name(), number, err)
			}
			rec.Exchanges = append(rec.Exchanges, exchange)
		}
		if errors.Is(err, io.EOF) {
			return rec, nil
		}
		if err != nil {
			return Recording{}, fmt.Errorf("recording %s line %d: %w", rec.Name(), number, err)
		}
	}
}
