package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asCommand has this test binary be parley.
const asCommand = "PARLEY_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

const (
	appSecret = "0123456789abcdef0123456789abcdef"
	patience  = 20 * time.Second
)

// process is a parley of its own.
type process struct {
	*testing.T
	cmd *exec.Cmd

	mu    sync.Mutex
	said  bytes.Buffer
	ended chan struct{}
}

// Write takes what the process says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// launch starts parley with variables NAME=VALUE and arguments; it is killed when
// the test ends.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{T: t, cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	p.cmd.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// code waits for the process's exit code.
func (p *process) code() int {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Fatalf("the process does not end:\n%s", p.log())
	}
	return p.cmd.ProcessState.ExitCode()
}

// await waits until the process says something that matches, and gives the groups.
func (p *process) await(pattern string) []string {
	p.Helper()
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if m := re.FindStringSubmatch(p.log()); m != nil {
			return m
		}
		select {
		case <-tick.C:
		case <-p.ended:
			if re.FindStringSubmatch(p.log()) == nil {
				p.Fatalf("the process ended without %q:\n%s", pattern, p.log())
			}
		}
	}
	p.Fatalf("no %q came:\n%s", pattern, p.log())
	return nil
}

// serving starts `parley serve` on free ports over a folder, and gives its URLs
// once it is ready. Its app is 1, unless a file names others.
func serving(t *testing.T, dir string, args ...string) (p *process, url, admin string) {
	t.Helper()
	var env []string
	if !slices.Contains(args, "--config") {
		env = []string{"PARLEY_APP=1:" + appSecret}
	}
	p = launch(t, env,
		append([]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}, args...)...)
	m := p.await(`msg=ready url=(\S+) admin=(\S+)`)
	return p, m[1], m[2]
}

// get asks over a connection of its own.
func get(ctx context.Context, client *http.Client, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func TestASecondProcessOnAFolderIsToldSo(t *testing.T) {
	dir := t.TempDir()
	serving(t, dir)
	second := launch(t, []string{"PARLEY_APP=1:" + appSecret}, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	if code := second.code(); code != 1 || !strings.Contains(second.log(), "the data folder "+filepath.Join(dir, "data")+" is in use by another process") {
		t.Errorf("it ended with %d:\n%s", code, second.log())
	}
}

func TestAFolderInUseIsNotExamined(t *testing.T) {
	dir := t.TempDir()
	serving(t, dir)
	p := launch(t, nil, "verify", "--data", filepath.Join(dir, "data"))
	if code := p.code(); code != 1 || !strings.Contains(p.log(), "is in use by another process; stop the node first") {
		t.Errorf("it ended with %d:\n%s", code, p.log())
	}
}

// TestWhatIsEmptyCountsAsNotSet: templates of deployments leave empty variables,
// and a script an empty flag; the parser would make paths the working directory,
// where a node would found a cluster.
func TestWhatIsEmptyCountsAsNotSet(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(appSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*process{
		"variables": launch(t, []string{"PARLEY_DATA=", "PARLEY_TLS_CERT=", "PARLEY_SHARDS=", "PARLEY_INSECURE=", "PARLEY_APP=", "PARLEY_CONFIG="}, "config", "--app", "1:@"+secret),
		"flags":     launch(t, nil, "config", "--app", "1:@"+secret, "--data=", "--tls-cert=", "--admin-token-file=", "--gossip-key-file=", "--config="),
	} {
		if code := p.code(); code != 0 || !strings.Contains(p.log(), "\ndata: ./data\nshards: 128\n") || !strings.Contains(p.log(), "\ntls:\n  cert: \"\"\n") {
			t.Errorf("%s: it ended with %d:\n%s", name, code, p.log())
		}
	}
}

func TestSIGTERMEndsANodeInOrder(t *testing.T) {
	p, _, _ := serving(t, t.TempDir())
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.code(); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, p.log())
	}
}
