package node_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/internal/loopback"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/storage"
)

const (
	cutShards = 8
	// writeEvery is a writer's pause, so that the conversations stay short enough to
	// be read on every node.
	writeEvery = 30 * time.Millisecond
)

// cutCluster is three nodes of this process, and writers on each: one for each
// shard, so that whoever leads there is written to from everywhere.
type cutCluster struct {
	*testing.T
	ctx     context.Context
	board   *switchboard
	nodes   []*node.Node
	options []node.Options
	clocks  [5]atomic.Int64 // by how much the nodes' clocks are ahead
	writers []*cutWriter
	stop    chan struct{}
	running sync.WaitGroup
}

func beginCut(t *testing.T) *cutCluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	c := &cutCluster{T: t, ctx: ctx, board: newSwitchboard(), stop: make(chan struct{})}
	c.startNodes(3)
	t.Cleanup(func() {
		cancel()
		c.running.Wait()
		for _, w := range c.writers {
			_ = w.client.Close(t.Context()) // finish has, unless the test has failed
		}
	})
	c.await("replicas and leaders are spread", c.spread)
	for gateway := range c.nodes {
		for shard := range storage.ShardID(cutShards) {
			c.writers = append(c.writers, c.newWriter(gateway, shard+1))
		}
	}
	for _, w := range c.writers {
		c.running.Go(func() { w.run(c.ctx, c.stop) })
	}
	c.await("everybody writes", func() bool { return c.every([]int{0, 1, 2}, acknowledged(time.Time{})) })
	return c
}

// startNodes starts them together on ports that were free a moment ago: each
// must know the others' before they are there.
func (c *cutCluster) startNodes(count int) {
	c.Helper()
	before := goleak.IgnoreCurrent()
	c.nodes = make([]*node.Node, count)
	all := make([]node.Options, count)
	for i := range all {
		o := options(c.T)
		o.Shards = cutShards
		o.Now = func() time.Time { return time.Now().Add(time.Duration(c.clocks[i].Load())) }
		o.Cluster = node.ClusterOptions{
			PeerAddr: freeAddr(c.T), ActorAddr: freeAddr(c.T), GossipAddr: freeAddr(c.T), Expect: count, Dial: c.board.dialer(i),
		}
		c.board.home[o.Cluster.PeerAddr], c.board.home[o.Cluster.ActorAddr] = i, i
		all[i] = o
	}
	errs := make([]error, count)
	var starting sync.WaitGroup
	for i, o := range all {
		for j, other := range all {
			if j != i {
				o.Cluster.Join = append(o.Cluster.Join, other.Cluster.GossipAddr)
			}
		}
		c.options = append(c.options, o)
		starting.Go(func() { c.nodes[i], errs[i] = node.Start(c.ctx, o) })
	}
	starting.Wait()
	c.Cleanup(func() {
		defer c.nothingLeft(before)
		ctx, cancel := context.WithTimeout(context.Background(), waitFor)
		defer cancel()
		var closing sync.WaitGroup
		for i, n := range c.nodes {
			if errs[i] != nil {
				continue // it has stopped what it started
			}
			closing.Go(func() {
				if err := n.Close(ctx); err != nil {
					c.Errorf("close node %d: %v", i+1, err)
				}
			})
		}
		closing.Wait()
	})
	if err := errors.Join(errs...); err != nil {
		c.Fatal(err)
	}
}

// nothingLeft wants all goroutines of the nodes to end. Gossip does not wait for
// its last probe, which may take a second.
func (c *cutCluster) nothingLeft(before goleak.Option) {
	c.Helper()
	end := time.Now().Add(waitFor)
	for {
		err := goleak.Find(before)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			c.Error(err)
			return
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// spread says whether all shards have three voters and all nodes lead as many as
// each other, so that no leadership is on its way.
func (c *cutCluster) spread() bool {
	s := c.nodes[0].Status()
	leads := make(map[string]int)
	for _, sh := range s.Shards {
		if sh.Leader == "" || len(sh.Voters) != len(c.nodes) {
			return false
		}
		leads[sh.Leader]++
	}
	least, most := cutShards, 0
	for _, led := range leads {
		least, most = min(least, led), max(most, led)
	}
	return len(s.Moves) == 0 && s.Meta.Leader != "" && len(leads) == len(c.nodes) && most-least <= 1
}

// ready says whether every node says of itself that it is.
func (c *cutCluster) ready() bool {
	one := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for _, n := range c.nodes {
		answer, err := one.Get(n.URL() + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

// login is a client of one node that hides nothing. While a shard's leadership
// moves the node says that it is busy; logging in again is a caller's business.
func (c *cutCluster) login(node int, user string) (cl *client.Client) {
	c.Helper()
	c.await(user+" is logged in", func() bool {
		var err error
		cl, err = client.Dial(c.ctx, client.Options{
			Servers: []string{c.nodes[node].URL()}, AppID: app, UserID: user, Token: token(c.T, app, secret, user, time.Hour), NoReconnect: true,
		})
		if err != nil && !chat.CodeOf(err).Retryable() {
			c.Fatalf("%s on node %d: %v", user, node+1, err)
		}
		return err == nil
	})
	return cl
}

func (c *cutCluster) logout(cl *client.Client) {
	c.Helper()
	if err := cl.Close(c.ctx); err != nil {
		c.Errorf("log out: %v", err)
	}
}

// newWriter finds a pair of users whose conversation is in a shard.
func (c *cutCluster) newWriter(gateway int, shard storage.ShardID) *cutWriter {
	c.Helper()
	for try := 0; ; try++ {
		name := fmt.Sprintf("on%d-in%d-%d", gateway+1, shard, try)
		if storage.ConversationShard(cutShards, chat.PeerConversation(app, name, name+"-peer")) == shard {
			c.logout(c.login(gateway, name+"-peer")) // that the user exists
			return &cutWriter{t: c.T, gateway: gateway, shard: shard, name: name, client: c.login(gateway, name)}
		}
	}
}

// every says whether something holds for all writers on some nodes.
func (c *cutCluster) every(nodes []int, holds func(*cutWriter) bool) bool {
	return !slices.ContainsFunc(c.writers, func(w *cutWriter) bool { return slices.Contains(nodes, w.gateway) && !holds(w) })
}

// any says whether something holds for a writer on a node.
func (c *cutCluster) any(node int, holds func(*cutWriter) bool) bool {
	return slices.ContainsFunc(c.writers, func(w *cutWriter) bool { return w.gateway == node && holds(w) })
}

// await asks again and again whether something holds.
func (c *cutCluster) await(what string, holds func() bool) {
	c.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-c.ctx.Done():
			c.Fatalf("it does not come to be that %s", what)
		}
		if c.Failed() {
			c.FailNow()
		}
	}
}

// cutWriter sends one message after the other over one node; what is refused it
// sends again under the same id.
type cutWriter struct {
	t       *testing.T
	gateway int
	shard   storage.ShardID // of the conversation
	name    string
	client  *client.Client

	mu       sync.Mutex
	attempts []cutAttempt
	acked    []uint64 // seqs, by the message's number
}

type cutAttempt struct {
	begun, ended time.Time
	err          error
}

func (w *cutWriter) run(ctx context.Context, stop chan struct{}) {
	pace := time.NewTicker(writeEvery)
	defer pace.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		m := client.SendRequest{
			Peer: w.name + "-peer", Message: chat.Message{Type: chat.TypeText, Body: []byte(strconv.Itoa(n))},
			ClientMessageID: w.client.NewMessageID(),
		}
		for w.try(ctx, m) {
			<-pace.C
		}
		if w.t.Failed() || ctx.Err() != nil {
			return
		}
		<-pace.C
	}
}

// try makes one attempt; true: it is to be made again.
func (w *cutWriter) try(ctx context.Context, m client.SendRequest) (again bool) {
	a := cutAttempt{begun: time.Now()}
	var ack client.Ack
	ack, a.err = w.client.Send(ctx, m)
	a.ended = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = append(w.attempts, a)
	switch {
	case a.err == nil:
		w.acked = append(w.acked, ack.Seq)
		return false
	case ctx.Err() != nil:
		return false
	case !expected(a.err):
		w.t.Errorf("%s: message %s: %v", w.name, m.Body, a.err)
		return false
	}
	return true
}

// expected says whether an error is what a node without the others may say: not
// done or, for a Timeout, not known. Busy is the answer while a leadership is
// being handed over.
func expected(err error) bool {
	code := chat.CodeOf(err)
	return code == chat.CodeUnavailable || code == chat.CodeTimeout || code == chat.CodeBusy
}

// since gives the attempts that began after a moment.
func (w *cutWriter) since(begun time.Time) []cutAttempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	first, _ := slices.BinarySearchFunc(w.attempts, begun, func(a cutAttempt, t time.Time) int { return a.begun.Compare(t) })
	return slices.Clone(w.attempts[first:])
}

func acknowledged(since time.Time) func(*cutWriter) bool {
	return func(w *cutWriter) bool {
		return slices.ContainsFunc(w.since(since), func(a cutAttempt) bool { return a.err == nil })
	}
}

func refused(since time.Time) func(*cutWriter) bool {
	return func(w *cutWriter) bool {
		return slices.ContainsFunc(w.since(since), func(a cutAttempt) bool { return a.err != nil })
	}
}

// check reads the conversation from its begin, again while its shard moves.
func (w *cutWriter) check(ctx context.Context, node int, reader *client.Client) {
	w.t.Helper()
	read := 0
	for {
		page, err := reader.History(ctx, client.HistoryRequest{Peer: w.name + "-peer", After: uint64(read), Count: 100})
		if err != nil && chat.CodeOf(err).Retryable() && ctx.Err() == nil {
			continue
		}
		if err != nil {
			w.t.Errorf("%s: history on node %d after %d: %v", w.name, node+1, read, err)
			return
		}
		for _, m := range page.Messages {
			if read >= len(w.acked) || m.Seq != w.acked[read] || m.Seq != uint64(read+1) || string(m.Body) != strconv.Itoa(read) {
				w.t.Errorf("%s: on node %d %q stands at %d; %d were acknowledged", w.name, node+1, m.Body, m.Seq, len(w.acked))
				return
			}
			if time.Until(m.Time).Abs() > time.Hour {
				w.t.Errorf("%s: message %d is of %v", w.name, m.Seq, m.Time)
				return
			}
			read++
		}
		if len(page.Messages) == 0 {
			break
		}
	}
	if read != len(w.acked) {
		w.t.Errorf("%s: %d messages stand on node %d, %d were acknowledged", w.name, read, node+1, len(w.acked))
	}
}
