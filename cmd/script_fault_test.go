package cmd_test

import (
	"net/http"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/backstep-dev/backstep/appwritetest"
)

// injectFault puts a fault into the newest server of a script:
// fault METHOD PATH ACTION [TIMES [SKIP]], where "*" is any method and ACTION is
// refuse, drop, hold or an HTTP status. Times 0 is for ever.
func injectFault(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 || len(args) > 5 {
		ts.Fatalf("usage: fault METHOD PATH ACTION [TIMES [SKIP]]")
	}
	fault := appwritetest.Fault{Match: appwritetest.Match{Path: args[1]}, Times: 1}
	if args[0] != "*" {
		fault.Match.Method = args[0]
	}
	switch args[2] {
	case "refuse":
		fault.Action = appwritetest.RefuseBefore()
	case "drop":
		fault.Action = appwritetest.DropAfter()
	case "hold":
		fault.Action = appwritetest.HoldThenAct()
	default:
		code, err := strconv.Atoi(args[2])
		ts.Check(err)
		kind := ""
		if code < http.StatusInternalServerError {
			kind = "general_bad_request"
		}
		fault.Action = appwritetest.Status{Code: code, Type: kind}
	}
	for i, into := range []*int{&fault.Times, &fault.Skip} {
		if len(args) > 3+i {
			n, err := strconv.Atoi(args[3+i])
			ts.Check(err)
			*into = n
		}
	}
	server := stageOf(ts).server
	if server == nil {
		ts.Fatalf("the script has started no server")
	}
	server.Inject(fault)
}
