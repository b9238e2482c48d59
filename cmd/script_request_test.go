package cmd_test

import (
	"bytes"
	"io"
	"net/http"

	"github.com/rogpeppe/go-internal/testscript"
)

// sendRequest does to the newest server of a script what somebody else might:
// request METHOD PATH [JSON]. It wants the server to take it, and waits until
// its worker is done; the answer is the output.
func sendRequest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: request METHOD PATH [JSON]")
	}
	var body io.Reader = http.NoBody
	if len(args) == 3 {
		body = bytes.NewBufferString(args[2])
	}
	s := stageOf(ts)
	r, err := http.NewRequestWithContext(s.tb.Context(), args[0], s.server.Endpoint+args[1], body)
	ts.Check(err)
	r.Header.Set("X-Appwrite-Project", s.server.Project)
	r.Header.Set("X-Appwrite-Key", s.server.Key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode >= http.StatusMultipleChoices {
		ts.Fatalf("%s %s: %d %s", args[0], args[1], answer.StatusCode, text)
	}
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
	if args[0] != http.MethodGet && s.server.Embedded != nil { // a real server has no part in scripts that send others
		ts.Check(s.server.Embedded.Worker().Idle(s.tb.Context()))
	}
}

// readOnly makes the newest server of a script refuse whatever is no read.
func readOnly(ts *testscript.TestScript, _ bool, _ []string) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		injectFault(ts, false, []string{method, "**", "refuse", "0"})
	}
}
