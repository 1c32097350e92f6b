//go:build unix

package members

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// seedEnv makes this test's binary a node that joins the one at its value.
const seedEnv = "PARLEY_MEMBERS_SEED"

// TestProcess is no test of its own but the node that the others stop and kill.
// It prints what it hears, and ends with its input.
func TestProcess(t *testing.T) {
	seed := os.Getenv(seedEnv)
	if seed == "" {
		t.Skip("only started by other tests")
	}
	m, err := Start(Options{
		Self: Node{ID: "p", Start: 1, Peer: "p:1", Cluster: "c"}, Bind: "127.0.0.1:0", Seeds: []string{seed},
		Log: slog.New(slog.DiscardHandler), Changed: func([]Node) {}, Gone: func(Node) {},
		Evicted: func() { fmt.Println("evicted") },
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("started")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = m.Close()
}

// process is such a node.
type process struct {
	*exec.Cmd
	said chan string
}

func startProcess(t *testing.T, seed string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], "-test.run=^TestProcess$"), said: make(chan string, 100)}
	p.Env = append(os.Environ(), seedEnv+"="+seed)
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.said <- strings.TrimSpace(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = p.Process.Kill()
		<-read
		_ = p.Wait()
	})
	return p
}

func (p *process) signal(t *testing.T, s os.Signal) time.Time {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

func usual(o *Options) { o.Timing = Timing{} }

// A pause of 1 s is forgiven, one that the others take for death is noticed, a
// death is known after about 2 to 3 s; all with the usual timing.
func TestAProcessThatIsPausedThenKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	a := start(t, "a", usual)
	b := start(t, "b", func(o *Options) {
		usual(o)
		seeds(a)(o)
	})
	p := startProcess(t, a.Addr())
	if line := <-p.said; line != "started" {
		t.Fatalf("it says %q", line)
	}
	a.sees("a b p")
	b.sees("a b p")

	p.signal(t, syscall.SIGSTOP)
	while(t, time.Second, "who pauses for 1 s stays", func() bool { return len(a.ends())+len(b.ends()) == 0 })
	p.signal(t, syscall.SIGCONT)
	while(t, 3*time.Second, "who paused for 1 s is not given up later", func() bool { return len(a.ends())+len(b.ends()) == 0 })
	select {
	case line := <-p.said:
		t.Errorf("after 1 s it says %q", line)
	default:
	}

	p.signal(t, syscall.SIGSTOP)
	a.sees("a b")
	b.sees("a b")
	resumed := p.signal(t, syscall.SIGCONT)
	select {
	case line := <-p.said:
		if line != "evicted" {
			t.Errorf("it says %q", line)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not learn that it was given up")
	}
	t.Logf("noticed %v after it went on", time.Since(resumed))
	a.sees("a b p")
	b.sees("a b p")

	killed := p.signal(t, syscall.SIGKILL)
	a.sees("a b")
	b.sees("a b")
	took := time.Since(killed)
	t.Logf("death known after %v", took)
	if took > 5*time.Second {
		t.Error("that is too late")
	}
	if got := a.evictions() + b.evictions(); got != 0 {
		t.Errorf("those that never paused were told %d times that they were given up", got)
	}
}

// Nobody is there to tell it: its own clock does.
func TestAProcessNoticesByItselfThatItWasPaused(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	p := startProcess(t, "127.0.0.1:1")
	if line := <-p.said; line != "started" {
		t.Fatalf("it says %q", line)
	}
	p.signal(t, syscall.SIGSTOP)
	select {
	case line := <-p.said:
		t.Fatalf("a stopped process says %q", line)
	case <-time.After(Timing{Probe: 500 * time.Millisecond}.givenUp() + time.Second):
	}
	p.signal(t, syscall.SIGCONT)
	select {
	case line := <-p.said:
		if line != "evicted" {
			t.Errorf("it says %q", line)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not notice")
	}
}
