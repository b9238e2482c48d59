// Package outage lets requests and processes fail the way networks and machines
// do, on a clock on which waiting takes no time: requests are refused, lost or
// act late, servers answer with errors before or after the effect, and a process
// stops around a request. Everything happens on the client's side, so it happens
// before a real server, too.
package outage

import (
	"errors"
	"fmt"
	"os"
)

// What goes wrong, as callers see it in errors.
var (
	// ErrCrash: the process has stopped; nothing that belongs to it acts any more.
	ErrCrash = errors.New("outage: the process has stopped")
	// ErrRefused: the connection was refused, so nothing was sent.
	ErrRefused = errors.New("outage: connection refused")
	// ErrLost: the connection broke after the request was sent.
	ErrLost = errors.New("outage: connection lost")
	// ErrTimeout: the answer took too long. The caller's context has not ended.
	ErrTimeout = fmt.Errorf("outage: %w", os.ErrDeadlineExceeded)
)

// Fault is what happens to one request.
type Fault string

// The faults. Those that crash stop the process for good.
const (
	None             Fault = ""
	Refused          Fault = "request refused"
	Lost             Fault = "answer lost"
	Late             Fault = "request acts late"
	Unavailable      Fault = "503 without effect"
	Limited          Fault = "429 without effect"
	Failed           Fault = "500 after the effect"
	CrashBeforeSend  Fault = "crash before the request"
	CrashMeanwhile   Fault = "crash, then the effect"
	CrashAfterSend   Fault = "crash after the effect"
	CrashAfterAnswer Fault = "crash after the answer"
)

// Survivable are the faults that a run goes on after by itself.
func Survivable() []Fault { return []Fault{Refused, Lost, Late, Unavailable, Failed} }

// Crashes are the places around a request where a process can stop.
func Crashes() []Fault {
	return []Fault{CrashBeforeSend, CrashMeanwhile, CrashAfterSend, CrashAfterAnswer}
}
