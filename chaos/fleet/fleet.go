// Package fleet runs a cluster of real nodes on this machine, each a process of
// the parley binary with ports and a data directory of its own, and does to them
// what happens to machines: it kills, pauses, wipes and replaces them. Tests and
// the chaos tool use it; it talks to nodes only as clients and operators do.
// Start and the methods that wait block until their context ends.
package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/parley-im/parley/internal/loopback"
	"github.com/parley-im/parley/transport/api"
)

// Options say what all nodes of a fleet share.
type Options struct {
	// Binary is parley; Dir holds a folder for each node.
	Binary, Dir string
	// Apps are ID:SECRET, at least one.
	Apps   []string
	Shards int // 0: the default
	Zones  []string
	// Expect has that many nodes found the cluster together; 0: the first one
	// founds it alone.
	Expect int
	// Env is added to the environment of each node.
	Env []string
	// Netns gives each node a network namespace on a bridge of this machine, which
	// Deafen, Lose, Reset and Delay need. It needs root, ip and iptables.
	Netns bool
	// Proxies has the nodes on loopback talk through proxies of this process, which
	// Deafen and Reset need without Netns. It needs Linux, and no root.
	Proxies bool
	// Disks gives each node a file system of its own, which CutPower and FillDisk
	// need. It needs root, mkfs.ext4 and loop devices.
	Disks bool
}

// Fleet is the cluster. Its methods may be called from any goroutine.
type Fleet struct {
	o    Options
	cuts atomic.Uint64 // that were made

	mu      sync.Mutex
	nodes   []*Node
	retired []*Node
	network *network // nil until the first node with Netns
	proxies *proxies // nil until the first one with Proxies
}

// Node is one node over the lives of its process.
type Node struct {
	f                                      *Fleet
	Name, Dir                              string
	zone                                   string
	addr, peer, actorAt, gossip, operators string
	space, host                            string // namespace and address there; without Netns ""
	front                                  string // host of its proxies; without Proxies ""

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	extra []string // environment of the next start
	// program is what the next start runs; "": the fleet's.
	program string
}

// New makes a fleet without nodes.
func New(o Options) *Fleet { return &Fleet{o: o} }

// Add makes a node that is not started: a folder and ports that were free a
// moment ago.
func (f *Fleet) Add() (*Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := "n" + strconv.Itoa(len(f.nodes)+len(f.retired)+1)
	n := &Node{f: f, Name: name, Dir: filepath.Join(f.o.Dir, name)}
	if len(f.o.Zones) > 0 {
		n.zone = f.o.Zones[len(f.nodes)%len(f.o.Zones)]
	}
	if err := f.settle(n); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(n.Dir, 0o700); err != nil {
		return nil, err
	}
	if f.o.Disks {
		if err := n.makeDisk(); err != nil {
			return nil, err
		}
	}
	f.nodes = append(f.nodes, n)
	return n, nil
}

// settle gives a node its addresses.
func (f *Fleet) settle(n *Node) (err error) {
	if !f.o.Netns {
		if err := n.freePorts(); err != nil || !f.o.Proxies {
			return err
		}
		if f.proxies == nil {
			f.proxies = newProxies()
		}
		return f.proxies.add(n, len(f.nodes)+len(f.retired))
	}
	if f.network == nil {
		if f.network, err = openNetwork(); err != nil {
			return err
		}
	}
	n.space, n.host, err = f.network.add()
	for i, at := range []*string{&n.addr, &n.peer, &n.actorAt, &n.gossip, &n.operators} {
		*at = net.JoinHostPort(n.host, strconv.Itoa(8080+i))
	}
	return err
}

func (n *Node) freePorts() (err error) {
	for _, at := range []*string{&n.addr, &n.peer, &n.actorAt, &n.gossip, &n.operators} {
		if *at, err = loopback.Addr(); err != nil {
			return err
		}
	}
	return nil
}

// Begin adds nodes, starts them and waits until all are ready: together if so
// many are expected, else the first one alone, which the others join.
func (f *Fleet) Begin(ctx context.Context, count int) error {
	if f.o.Expect == 0 {
		first, err := f.Add()
		if err != nil {
			return err
		}
		if err := first.Start(ctx); err != nil {
			return err
		}
		count--
	}
	var begun []*Node
	for range count {
		n, err := f.Add()
		if err != nil {
			return err
		}
		begun = append(begun, n)
	}
	for _, n := range begun {
		if err := n.Launch(); err != nil {
			return err
		}
	}
	for _, n := range begun {
		if err := n.AwaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Nodes lists all nodes that are not retired, also those that are down.
func (f *Fleet) Nodes() []*Node {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*Node{}, f.nodes...)
}

// Retire leaves a node out of Nodes: it is down and never comes back.
func (f *Fleet) Retire(n *Node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = slices.DeleteFunc(f.nodes, func(one *Node) bool { return one == n })
	f.retired = append(f.retired, n)
}

// URLs are where clients may go.
func (f *Fleet) URLs() (all []string) {
	for _, n := range f.Nodes() {
		all = append(all, n.URL())
	}
	return all
}

// Close kills what still runs, and removes the namespaces and file systems.
func (f *Fleet) Close() error {
	var errs []error
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range append(f.nodes, f.retired...) {
		n.Kill()
		if f.o.Disks {
			errs = append(errs, n.removeDisk())
		}
	}
	if f.network != nil {
		errs = append(errs, f.network.close())
	}
	if f.proxies != nil {
		errs = append(errs, f.proxies.close())
	}
	return errors.Join(errs...)
}

// URL is where the node's clients connect.
func (n *Node) URL() string { return "http://" + n.addr }

// LogFile holds what the node's processes printed.
func (n *Node) LogFile() string { return filepath.Join(n.f.o.Dir, n.Name+".log") }

// ErrRuns says that a node's process runs already.
var ErrRuns = errors.New("fleet: the node's process runs")

// SetEnv sets variables for the next start of the node, in place of those that
// were set before.
func (n *Node) SetEnv(vars ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.extra = vars
}

// SetProgram has the next starts of the node run another parley than the fleet's.
func (n *Node) SetProgram(file string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.program = file
}

// Launch starts the node's process and waits for nothing.
func (n *Node) Launch() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		return ErrRuns
	}
	args := []string{
		"serve", "--data", n.Dir, "--addr", n.addr, "--peer-addr", n.peer, "--actor-addr", n.actorAt, "--gossip-addr", n.gossip, "--zone", n.zone,
		"--client-url", n.URL(),
		"--admin-addr", n.operators, "--admin-token-file", filepath.Join(n.f.o.Dir, "admin-token"),
	}
	if n.front != "" {
		args = append(args, "--advertise", n.front)
	}
	for _, app := range n.f.o.Apps {
		args = append(args, "--app", app)
	}
	for _, other := range n.f.Nodes() {
		if other != n {
			args = append(args, "--join", other.at(other.gossip))
		}
	}
	if n.f.o.Expect > 0 {
		args = append(args, "--expect", strconv.Itoa(n.f.o.Expect))
	}
	log, err := os.OpenFile(n.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := n.command(args)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = slices.Concat(os.Environ(), n.f.o.Env, n.extra, []string{"PARLEY_CLOCK=" + n.clockFile()})
	if n.f.o.Shards > 0 {
		cmd.Env = append(cmd.Env, "PARLEY_SHARDS="+strconv.Itoa(n.f.o.Shards))
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	n.cmd, n.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(ended)
	}()
	return nil
}

// command runs the binary, in the node's namespace if it has one: nsenter then
// becomes the node, so that signals reach it.
func (n *Node) command(args []string) *exec.Cmd {
	program := cmp.Or(n.program, n.f.o.Binary)
	if n.space == "" {
		return exec.Command(program, args...)
	}
	return exec.Command("nsenter", append([]string{inSpace(n.space), program}, append(args, "--insecure")...)...)
}

// Start starts the node's process and waits until it is ready.
func (n *Node) Start(ctx context.Context) error {
	if err := n.Launch(); err != nil {
		return err
	}
	return n.AwaitReady(ctx)
}

// AwaitReady waits until the node says that it is ready.
func (n *Node) AwaitReady(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if n.Ready(ctx) {
			return nil
		}
		select {
		case <-look.C:
		case <-n.end():
			return fmt.Errorf("fleet: %s has ended: %s", n.Name, n.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("fleet: %s is not ready: %w: %s", n.Name, ctx.Err(), n.LastWords())
		}
	}
}

// LastWords is the end of the node's log.
func (n *Node) LastWords() string {
	text, err := os.ReadFile(n.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// end is closed when the process has ended; a node without one has.
func (n *Node) end() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	return n.ended
}

// Runs says whether the node has a process that has not ended.
func (n *Node) Runs() bool {
	select {
	case <-n.end():
		return false
	default:
		return true
	}
}

// PID is the process's, 0 without one.
func (n *Node) PID() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Signal sends the process a signal: SIGSTOP and SIGCONT pause it.
func (n *Node) Signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return os.ErrProcessDone
	}
	return n.cmd.Process.Signal(s)
}

// Kill ends the process at once, as a machine's death would, and waits for it.
func (n *Node) Kill() { n.finish(syscall.SIGKILL) }

// Stop asks the process to end and waits for it.
func (n *Node) Stop() { n.finish(syscall.SIGTERM) }

func (n *Node) finish(s syscall.Signal) {
	if err := n.Signal(s); err == nil || !errors.Is(err, os.ErrProcessDone) {
		<-n.end()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cmd = nil
}

// Wipe deletes the data of a node that is down: its next start is that of a new
// node.
func (n *Node) Wipe() error {
	if n.Runs() {
		return ErrRuns
	}
	all, err := os.ReadDir(n.Dir) // which may be a mount point
	for _, name := range all {
		err = errors.Join(err, os.RemoveAll(filepath.Join(n.Dir, name.Name())))
	}
	return err
}

// Copy copies the data of a node that is down to a folder beside it.
func (n *Node) Copy() (dir string, err error) {
	if n.Runs() {
		return "", ErrRuns
	}
	if dir, err = os.MkdirTemp(n.f.o.Dir, n.Name+"-copy"); err != nil {
		return "", err
	}
	return dir, os.CopyFS(dir, os.DirFS(n.Dir))
}

// Restore puts the data of a node that is down back to a copy.
func (n *Node) Restore(dir string) error {
	if err := n.Wipe(); err != nil {
		return err
	}
	return os.CopyFS(n.Dir, os.DirFS(dir))
}

// Ready asks the node whether it is.
func (n *Node) Ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URL()+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK
}

// Status is the cluster as the node sees it.
func (n *Node) Status(ctx context.Context) (s api.ClusterStatus, err error) {
	text, err := n.admin(ctx, http.MethodGet, "")
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// Administer has the node pass on an operator's wish for the node of an ID:
// drain, undrain or remove.
func (n *Node) Administer(ctx context.Context, action, id string) error {
	_, err := n.admin(ctx, http.MethodPost, "/nodes/"+id+"/"+action)
	return err
}

func (n *Node) admin(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	token, err := os.ReadFile(filepath.Join(n.f.o.Dir, "admin-token"))
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+n.operators+"/api/cluster"+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+string(token))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("fleet: %s answers %s: %s", n.Name, answer.Status, text)
	}
	return text, err
}
