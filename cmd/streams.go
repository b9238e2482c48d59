package cmd

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// Streams is what a command reads from and writes to: results go to Out, logs,
// progress and questions to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Terminal says that In and Err are a person's terminal: questions may be
	// asked and progress may be redrawn.
	Terminal bool
	// OutTerminal says that Out is a terminal: colours and tables may be used.
	OutTerminal bool
}

// SystemStreams are the streams of this process.
func SystemStreams() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal:    isatty.IsTerminal(os.Stdin.Fd()) && isatty.IsTerminal(os.Stderr.Fd()),
		OutTerminal: isatty.IsTerminal(os.Stdout.Fd()),
	}
}
