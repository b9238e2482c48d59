package cmd

import (
	"fmt"
	"strconv"
	"strings"
)

// places numbers the operations of a run as people count them: without those
// that only write the history, which come first and last.
type places struct {
	total   int
	counted []int // for each operation, how many up to and with it count
}

func placesOf(kinds []string) places {
	p := places{}
	for _, kind := range kinds {
		if !historyKind(kind) {
			p.total++
		}
		p.counted = append(p.counted, p.total)
	}
	return p
}

// historyKind tells the steps that only write the history.
func historyKind(kind string) bool { return strings.HasSuffix(kind, "_history") }

// of is how many of the first n operations count.
func (p places) of(n int) int {
	if n < 1 || len(p.counted) == 0 {
		return 0
	}
	return p.counted[min(n, len(p.counted))-1]
}

// history says whether the operation at index, from 1, only writes the history.
func (p places) history(index int) bool { return p.of(index) == p.of(index-1) }

// label is an operation's place, "[ 3/12]", as wide for every operation of a
// run; blank for what does not count.
func (p places) label(index int) string {
	width := len(strconv.Itoa(p.total))
	if p.history(index) {
		return strings.Repeat(" ", 2*width+3)
	}
	return fmt.Sprintf("[%*d/%d]", width, p.of(index), p.total)
}
