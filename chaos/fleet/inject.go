package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Injection is an strace that spoils a node's system calls.
type Injection struct {
	n       *Node
	tracer  *exec.Cmd
	ended   chan struct{}
	logFile string
}

// Inject has strace, which must be installed and allowed, spoil system calls of
// a node that runs: calls are names with commas between, how is what strace's
// --inject takes after them, such as "error=EIO". It ends with the node, or
// with End.
func (n *Node) Inject(calls, how string) (*Injection, error) {
	i := &Injection{n: n, ended: make(chan struct{}), logFile: filepath.Join(n.f.o.Dir, n.Name+".strace")}
	if err := os.WriteFile(i.logFile, nil, 0o600); err != nil {
		return nil, err
	}
	i.tracer = exec.Command("strace", "-f", "-q", "-p", strconv.Itoa(n.PID()), "-o", i.logFile, "-e", "trace="+calls, "-e", "inject="+calls+":"+how)
	if err := i.tracer.Start(); err != nil {
		return nil, fmt.Errorf("fleet: strace: %w", err)
	}
	go func() {
		_ = i.tracer.Wait() // what it did is in its log
		close(i.ended)
	}()
	return i, nil
}

// Await waits until at least one call was spoiled and gives the line that says
// so.
func (i *Injection) Await(ctx context.Context) (string, error) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for last := false; ; {
		text, err := os.ReadFile(i.logFile)
		if err != nil {
			return "", err
		}
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte("(INJECTED)")) || bytes.Contains(line, []byte("(DELAYED)")) {
				return string(bytes.TrimSpace(line)), nil
			}
		}
		if last {
			return "", fmt.Errorf("fleet: strace of %s has ended and spoiled nothing", i.n.Name)
		}
		select {
		case <-look.C:
		case <-i.ended: // what it wrote at its end is there now
			last = true
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// End lets the node's calls through again.
func (i *Injection) End() error {
	if err := i.tracer.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-i.ended
	return nil
}
