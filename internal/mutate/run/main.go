// Command run takes the safeguards out of the code one by one and says which
// test failed for each. It fails when one survives.
//
//	go run ./internal/mutate/run                 all of them
//	go run ./internal/mutate/run -only lease     those with "lease" in their names (a regular expression)
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/internal/mutate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	failed, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1) //nolint:forbidigo // it is a main
	}
}

func run(ctx context.Context, args []string, out io.Writer) (failed int, err error) {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	module := flags.String("module", ".", "folder of the module")
	only := flags.String("only", "", "try only mutants whose names this regular expression matches")
	jobs := flags.Int("j", runtime.GOMAXPROCS(0), "how many at a time")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	all, err := mutate.Load(os.DirFS(filepath.Join(*module, "internal", "mutate", "mutants")))
	if err != nil {
		return 0, err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return 0, err
	}
	var mutants []mutate.Mutant
	for _, m := range all {
		if wanted.MatchString(m.Name) {
			mutants = append(mutants, m)
		}
	}
	start := time.Now()
	bench := mutate.Bench{Module: *module, Jobs: *jobs}
	err = bench.Try(ctx, mutants, func(v mutate.Verdict) {
		if v.Err != nil {
			failed++
			fmt.Fprintf(out, "%-28s %s\n    %s\n", v.Mutant.Name, v.Mutant.Safeguard, strings.ReplaceAll(v.Err.Error(), "\n", "\n    "))
			return
		}
		fmt.Fprintf(out, "%-28s killed by %-70s %5.1fs  %s\n", v.Mutant.Name, v.Killer, v.Took.Seconds(), v.Mutant.Safeguard)
	})
	fmt.Fprintf(out, "%d safeguards taken out, %d noticed, %d not, in %s\n",
		len(mutants), len(mutants)-failed, failed, time.Since(start).Round(time.Second))
	return failed, err
}
