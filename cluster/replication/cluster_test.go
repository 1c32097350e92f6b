package replication_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/internal/loopback"
	"github.com/parley-im/parley/storage"
)

// A cluster of processes: the test binary starts itself again as a node when
// nodeEnv is set, and talks to it over net/rpc.

const nodeEnv = "PARLEY_TEST_NODE"

// nodeConfig is what a node process gets.
type nodeConfig struct {
	Name   storage.NodeID
	Dir    string
	Shards int
	Listen string                    // for other nodes
	Peers  map[storage.NodeID]string // addresses of the others
	Voters []storage.NodeID
}

// cluster is the test's side.
type cluster struct {
	t      testing.TB
	shards int
	voters []storage.NodeID
	dir    string

	mu    sync.Mutex
	nodes map[storage.NodeID]*process
}

type process struct {
	config nodeConfig
	cmd    *exec.Cmd
	client *rpc.Client
	ended  chan struct{} // closed with the process
}

// newCluster starts nodes n1, n2 ... that begin a cluster together.
func newCluster(t testing.TB, nodes, shards int) *cluster {
	c := &cluster{t: t, shards: shards, dir: t.TempDir(), nodes: make(map[storage.NodeID]*process)}
	for i := range nodes {
		c.voters = append(c.voters, storage.NodeID(fmt.Sprintf("n%d", i+1)))
	}
	for _, name := range c.voters {
		c.add(name)
	}
	for _, name := range c.voters {
		c.start(name)
	}
	t.Cleanup(func() {
		for _, name := range c.names() {
			c.kill(name)
		}
	})
	return c
}

// add gives a node a directory and a port.
func (c *cluster) add(name storage.NodeID) {
	addr, err := loopback.Addr()
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &process{config: nodeConfig{
		Name: name, Dir: filepath.Join(c.dir, string(name)), Shards: c.shards, Listen: addr,
		Peers: make(map[storage.NodeID]string), Voters: c.voters,
	}}
	for other, o := range c.nodes {
		o.config.Peers[name] = n.config.Listen
		n.config.Peers[other] = o.config.Listen
		if o.client != nil {
			_ = o.client.Call("Node.Meet", Peer{name, n.config.Listen}, new(bool))
		}
	}
	c.nodes[name] = n
}

// start runs a node's process and waits until it answers.
func (c *cluster) start(name storage.NodeID) {
	if err := c.tryStart(name); err != nil {
		c.t.Fatalf("node %s did not start: %v", name, err)
	}
}

// tryStart gives an error when the process ends before it answers.
func (c *cluster) tryStart(name storage.NodeID) error {
	c.mu.Lock()
	n := c.nodes[name]
	config, err := json.Marshal(n.config)
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), nodeEnv+"="+string(config))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return cmd.Wait()
	}
	client, err := rpc.Dial("tcp", line[:len(line)-1])
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	c.mu.Lock()
	n.cmd, n.client, n.ended = cmd, client, ended
	c.mu.Unlock()
	return nil
}

// ended says whether a node's process has ended by itself.
func (c *cluster) ended(name storage.NodeID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.nodes[name].ended:
		return true
	default:
		return false
	}
}

// damaged has a node read all its rows: whether it finds that they are damaged,
// or ends of it.
func (c *cluster) damaged(ctx context.Context, name storage.NodeID) bool {
	err := c.call(ctx, name, "Scan", 0, new(int))
	if ctx.Err() != nil {
		c.t.Fatalf("%s does not get through its rows: %v", name, err)
	}
	return err != nil
}

// kill ends a node's process at once.
func (c *cluster) kill(name storage.NodeID) {
	c.mu.Lock()
	n := c.nodes[name]
	cmd, client, ended := n.cmd, n.client, n.ended
	n.cmd, n.client = nil, nil
	c.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	<-ended
	_ = client.Close()
}

// wipe takes a killed node's disk and puts a new node in its place.
func (c *cluster) wipe(name, next storage.NodeID) {
	c.mu.Lock()
	dir := c.nodes[name].config.Dir
	delete(c.nodes, name)
	c.mu.Unlock()
	if err := os.RemoveAll(dir); err != nil {
		c.t.Fatal(err)
	}
	c.add(next)
	c.start(next)
}

func (c *cluster) names() []storage.NodeID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []storage.NodeID
	for name, n := range c.nodes {
		if n.cmd != nil {
			out = append(out, name)
		}
	}
	return out
}

var errDown = errors.New("the node is down")

// call asks a node; an error of the node itself comes as its text.
func (c *cluster) call(ctx context.Context, name storage.NodeID, method string, args, reply any) error {
	c.mu.Lock()
	n := c.nodes[name]
	var client *rpc.Client
	if n != nil {
		client = n.client
	}
	c.mu.Unlock()
	if client == nil {
		return errDown
	}
	call := client.Go("Node."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaders asks all nodes who leads which shard; of two who say so the newer
// term counts.
func (c *cluster) leaders(ctx context.Context) map[storage.ShardID]storage.NodeID {
	out, terms := make(map[storage.ShardID]storage.NodeID), make(map[storage.ShardID]uint64)
	for _, name := range c.names() {
		var led map[storage.ShardID]uint64
		quick, cancel := context.WithTimeout(ctx, time.Second)
		if c.call(quick, name, "Leading", 0, &led) == nil {
			for s, term := range led {
				if term > terms[s] {
					out[s], terms[s] = name, term
				}
			}
		}
		cancel()
	}
	return out
}

// awaitLeaders waits until every shard has one.
func (c *cluster) awaitLeaders(ctx context.Context) map[storage.ShardID]storage.NodeID {
	var led map[storage.ShardID]storage.NodeID
	c.await(ctx, "every shard has a leader", func() bool {
		led = c.leaders(ctx)
		return len(led) == c.shards
	})
	return led
}

// await asks again and again whether something holds, as other processes do not
// tell.
func (c *cluster) await(ctx context.Context, what string, holds func() bool) {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			c.t.Fatalf("it does not come to be that %s", what)
		}
	}
}
