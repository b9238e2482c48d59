package mutate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// patience is how long a test may take; one that waits for ever because its
// safeguard is gone has failed.
const patience = 2 * time.Minute

// Verdict is what became of a mutant.
type Verdict struct {
	Mutant Mutant
	Killer string // the test that failed, or "timeout"; "" when there is an error
	Took   time.Duration
	Err    error // why the safeguard is not shown to be tested
}

// The ways in which a mutant shows nothing.
var (
	// ErrSurvived: the tests pass without the safeguard.
	ErrSurvived = errors.New("SURVIVED: the test passes without the safeguard")
	// ErrBroken: the code without the safeguard does not compile.
	ErrBroken = errors.New("does not compile, which shows nothing")
	// ErrSick: the test fails with the safeguard in place, or there is none.
	ErrSick = errors.New("the test does not pass as it is")
)

// Bench tries mutants on one module.
type Bench struct {
	Module string // the folder with go.mod
	Jobs   int    // how many at a time; at least 1

	work  string
	mu    sync.Mutex
	sound map[string]*sound // by package, and by package and test
}

// sound is whether a package builds, or a test passes, as the code is.
type sound struct {
	once sync.Once
	err  error
}

// Try tries mutants and hands over each verdict, one at a time, as it is found.
func (b *Bench) Try(ctx context.Context, mutants []Mutant, told func(Verdict)) (err error) {
	if b.work, err = os.MkdirTemp("", "mutate"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	b.sound = map[string]*sound{}
	queue := make(chan int)
	var workers sync.WaitGroup
	var telling sync.Mutex
	for range max(1, b.Jobs) {
		workers.Go(func() {
			for i := range queue {
				verdict := b.try(ctx, i, mutants[i])
				telling.Lock()
				told(verdict)
				telling.Unlock()
			}
		})
	}
	for i := range mutants {
		queue <- i
	}
	close(queue)
	workers.Wait()
	return ctx.Err()
}

func (b *Bench) try(ctx context.Context, i int, m Mutant) Verdict {
	start := time.Now()
	killer, err := b.kill(ctx, i, m)
	return Verdict{Mutant: m, Killer: killer, Took: time.Since(start), Err: err}
}

func (b *Bench) kill(ctx context.Context, i int, m Mutant) (string, error) {
	changed, err := m.apply(os.DirFS(b.Module))
	if err != nil {
		return "", err
	}
	overlay, err := b.overlay(i, changed)
	if err != nil {
		return "", err
	}
	if err := b.healthy(ctx, m); err != nil {
		return "", err
	}
	binary := filepath.Join(b.work, fmt.Sprintf("mutant%d.test", i))
	if out, err := b.compile(ctx, m.Package, binary, "-overlay="+overlay); err != nil {
		return "", fmt.Errorf("%w: %s", ErrBroken, out)
	}
	out, err := b.run(ctx, binary, m)
	if err == nil {
		return "", ErrSurvived
	}
	return killer(out), os.Remove(binary)
}

// overlay writes the changed files and the list that go build reads.
func (b *Bench) overlay(i int, changed map[string][]byte) (string, error) {
	module, err := filepath.Abs(b.Module)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, data := range changed {
		path := filepath.Join(b.work, fmt.Sprintf("%d-%s", i, strings.ReplaceAll(name, "/", "-")))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(module, filepath.FromSlash(name))] = path
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.work, fmt.Sprintf("%d.json", i))
	return path, os.WriteFile(path, list, 0o600)
}

// healthy checks, once for each test, that it is there and passes.
func (b *Bench) healthy(ctx context.Context, m Mutant) error {
	built := b.once("build " + m.Package)
	binary := filepath.Join(b.work, strings.ReplaceAll(m.Package, "/", "-")+".test")
	built.once.Do(func() {
		if out, err := b.compile(ctx, m.Package, binary); err != nil {
			built.err = fmt.Errorf("%w: %s", ErrSick, out)
		}
	})
	if built.err != nil {
		return built.err
	}
	known := b.once(m.Package + " " + m.Test)
	known.once.Do(func() {
		out, err := b.run(ctx, binary, m)
		switch {
		case err != nil:
			known.err = fmt.Errorf("%w: %s", ErrSick, tail(out))
		case !strings.Contains(out, "--- PASS: "):
			known.err = fmt.Errorf("%w: no test of %s passes for %q", ErrSick, m.Package, m.Test)
		}
	})
	return known.err
}

// once gives what is done once under a name.
func (b *Bench) once(name string) *sound {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sound[name] == nil {
		b.sound[name] = &sound{}
	}
	return b.sound[name]
}

func (b *Bench) compile(ctx context.Context, of, binary string, flags ...string) (string, error) {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}, flags...)
	c := exec.CommandContext(ctx, "go", append(args, of)...) //nolint:gosec // the packages are the specification's
	c.Dir = b.Module
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (b *Bench) run(ctx context.Context, binary string, m Mutant) (string, error) {
	c := exec.CommandContext(ctx, binary, "-test.run="+m.Test, "-test.v", "-test.count=1", "-test.timeout="+patience.String()) //nolint:gosec // it was just built
	c.Dir = filepath.Join(b.Module, filepath.FromSlash(m.Package))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

// killer names the test that failed, the deepest one where it has parts.
func killer(out string) string {
	failed := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`).FindAllStringSubmatch(out, -1)
	name := ""
	for _, match := range failed {
		if name == "" || strings.HasPrefix(match[1], name+"/") {
			name = match[1]
		}
	}
	switch {
	case name != "":
		return name
	case strings.Contains(out, "panic: test timed out"):
		return "timeout"
	default:
		return "panic"
	}
}

// tail is the end of an output.
func tail(out string) string {
	const enough = 1500
	return strings.TrimSpace(out[max(0, len(out)-enough):])
}
