package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/storage"
)

// What a cut may cost, by the design.
const (
	refusedWithin   = 2 * time.Second  // a send on the smaller side
	convergedWithin = 10 * time.Second // everybody, after the healing
)

// writeEvery is a writer's pause, so that all conversations can be read again in a moment.
const writeEvery = 30 * time.Millisecond

// TestNodesThatAreCutApartRefuseAndTheMajorityGoesOn cuts the links of three
// nodes in every way, one after the other. Gossip goes on all the while and says
// that everybody is there.
func TestNodesThatAreCutApartRefuseAndTheMajorityGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	c := beginCut(t)
	c.isolate("cut off", 0, c.board.cut)
	c.isolate("not heard", 1, c.board.lose)
	c.isolate("deaf", 2, func(x, others []int) { c.board.lose(others, x) })
	c.separate("both ways", c.board.cut)
	c.separate("one way", c.board.lose)
	c.finish()
}

// isolate cuts a node off from the two others.
func (c *cutCluster) isolate(how string, x int, cut func(x, others []int)) {
	c.Helper()
	c.await("all nodes lead", c.spread)
	others := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == x })
	cut([]int{x}, others)
	since := time.Now()
	c.refusesToRead(x)
	c.await("everybody on the larger side is acknowledged", func() bool { return c.every(others, acknowledged(since)) })
	c.await("everybody on the smaller side is refused", func() bool { return c.every([]int{x}, refused(since)) })
	healing := time.Now()
	converged := c.heal(how)
	longest := c.noSuccess(x, since, healing)
	c.Logf("node %d %s: the others are acknowledged at most %v later; longest refusal on it %v; healed after %v", x+1, how,
		c.resumed(others, since).Round(time.Millisecond), longest.Round(time.Millisecond), converged.Round(time.Millisecond))
}

// separate cuts one pair of nodes apart, while the third reaches both. Whoever
// needs the other side is refused in time; nobody is told anything false.
func (c *cutCluster) separate(how string, cut func(a, b []int)) {
	c.Helper()
	c.await("all nodes lead", c.spread)
	cut([]int{0}, []int{1})
	since := time.Now()
	c.await("everybody on the third node is acknowledged", func() bool { return c.every([]int{2}, acknowledged(since)) })
	c.await("everybody else has an answer, and both nodes miss what the other one leads", func() bool {
		return c.every([]int{0, 1}, func(w *cutWriter) bool { return acknowledged(since)(w) || refused(since)(w) }) &&
			c.any(0, refused(since)) && c.any(1, refused(since))
	})
	converged := c.heal(how)
	count, longest := c.refusals([]int{0, 1}, since)
	c.Logf("nodes 1 and 2 apart, %s: those on the third are acknowledged at most %v later; %d refusals on the two, longest %v; healed after %v", how,
		c.resumed([]int{2}, since).Round(time.Millisecond), count, longest.Round(time.Millisecond), converged.Round(time.Millisecond))
}

// heal ends the cuts and says how long it took until everybody was acknowledged
// and all nodes were ready.
func (c *cutCluster) heal(how string) time.Duration {
	c.Helper()
	healing := time.Now()
	c.board.heal()
	c.await("everybody is acknowledged", func() bool { return c.every([]int{0, 1, 2}, acknowledged(healing)) && c.ready() })
	converged := time.Since(healing)
	if converged > convergedWithin {
		c.Errorf("%s: converged after %v, want at most %v", how, converged, convergedWithin)
	}
	return converged
}

const cutShards = 8

// cutCluster is three nodes of this process, and writers on each: one for each
// shard, so that whoever leads there is written to from everywhere.
type cutCluster struct {
	*testing.T
	ctx     context.Context
	board   *switchboard
	nodes   []*node.Node
	writers []*cutWriter
	stop    chan struct{}
	running sync.WaitGroup
}

func beginCut(t *testing.T) *cutCluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c := &cutCluster{T: t, ctx: ctx, board: newSwitchboard(), stop: make(chan struct{})}
	c.startNodes(3)
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
	c.nodes = make([]*node.Node, count)
	all := make([]node.Options, count)
	for i := range all {
		o := options(c.T)
		o.Shards = cutShards
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
		starting.Go(func() { c.nodes[i], errs[i] = node.Start(c.ctx, o) })
	}
	starting.Wait()
	c.Cleanup(func() {
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

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// spread says whether all shards have three voters, all nodes lead, and nothing
// moves.
func (c *cutCluster) spread() bool {
	s := c.nodes[0].Status()
	leads := make(map[string]int)
	for _, sh := range s.Shards {
		if sh.Leader == "" || len(sh.Voters) != len(c.nodes) {
			return false
		}
		leads[sh.Leader]++
	}
	return len(s.Moves) == 0 && s.Meta.Leader != "" && len(leads) == len(c.nodes)
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

// login is a client of one node that hides nothing.
func (c *cutCluster) login(node int, user string) *client.Client {
	c.Helper()
	cl, err := client.Dial(c.ctx, client.Options{
		Servers: []string{c.nodes[node].URL()}, AppID: app, UserID: user, Token: token(c.T, app, secret, user, time.Hour), NoReconnect: true,
	})
	if err != nil {
		c.Fatalf("%s on node %d: %v", user, node+1, err)
	}
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
			return &cutWriter{t: c.T, gateway: gateway, name: name, client: c.login(gateway, name)}
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

// resumed is how long the last writer on some nodes waited for its first
// acknowledgement.
func (c *cutCluster) resumed(nodes []int, since time.Time) (longest time.Duration) {
	for _, w := range c.writers {
		if !slices.Contains(nodes, w.gateway) {
			continue
		}
		all := w.since(since)
		if i := slices.IndexFunc(all, func(a cutAttempt) bool { return a.err == nil }); i >= 0 {
			longest = max(longest, all[i].ended.Sub(since))
		}
	}
	return longest
}

// noSuccess wants every send on a node to be refused from the cut until the
// healing, and gives the longest that one took to be refused.
func (c *cutCluster) noSuccess(node int, cut, healing time.Time) time.Duration {
	c.Helper()
	for _, w := range c.writers {
		for _, a := range w.since(cut) {
			if w.gateway == node && a.ended.Before(healing) && !expected(a.err) {
				c.Errorf("%s was answered %v behind the cut: %v", w.name, a.ended.Sub(cut), a.err)
			}
		}
	}
	_, longest := c.refusals([]int{node}, cut)
	return longest
}

// refusals wants each in time.
func (c *cutCluster) refusals(nodes []int, since time.Time) (count int, longest time.Duration) {
	c.Helper()
	for _, w := range c.writers {
		for _, a := range w.since(since) {
			if took := a.ended.Sub(a.begun); slices.Contains(nodes, w.gateway) && a.err != nil {
				count++
				longest = max(longest, took)
				if took > refusedWithin {
					c.Errorf("%s was refused after %v, want at most %v: %v", w.name, took, refusedWithin, a.err)
				}
			}
		}
	}
	return count, longest
}

// refusesToRead wants a node that is cut off not to answer with what may be old,
// from whichever node the conversation was led.
func (c *cutCluster) refusesToRead(node int) {
	c.Helper()
	var reading sync.WaitGroup
	for _, w := range c.writers {
		if w.gateway != node {
			continue
		}
		reading.Go(func() {
			begun := time.Now()
			page, err := w.client.History(c.ctx, client.HistoryRequest{Peer: w.name + "-peer", Count: 1, NewestFirst: true})
			if took := time.Since(begun); took > refusedWithin || !expected(err) {
				c.Errorf("%s reads up to %d, %v after %v on a node that is cut off", w.name, page.Head, err, took)
			}
		})
	}
	reading.Wait()
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

// finish ends the writing and reads every conversation on every node: what was
// acknowledged stands where it was said to, in order, once, and nothing else.
func (c *cutCluster) finish() {
	c.Helper()
	close(c.stop)
	c.running.Wait()
	messages := 0
	for _, w := range c.writers {
		c.logout(w.client)
		messages += len(w.acked)
		for i := range c.nodes {
			reader := c.login(i, w.name)
			w.check(c.ctx, i, reader)
			c.logout(reader)
		}
	}
	c.Logf("%d messages acknowledged, each once and in order on all nodes", messages)
}

// cutWriter sends one message after the other over one node; what is refused it
// sends again under the same id.
type cutWriter struct {
	t       *testing.T
	gateway int
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
			ClientMessageID: client.NewMessageID(), IssuedAt: w.client.ServerTime(),
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
	case !chat.CodeOf(a.err).Retryable():
		w.t.Errorf("%s: message %s: %v", w.name, m.Body, a.err)
		return false
	}
	return true
}

// expected says whether an error is what a node without the others may say.
func expected(err error) bool {
	code := chat.CodeOf(err)
	return code == chat.CodeUnavailable || code == chat.CodeTimeout
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

// check reads the conversation from its begin.
func (w *cutWriter) check(ctx context.Context, node int, reader *client.Client) {
	w.t.Helper()
	read := 0
	for {
		page, err := reader.History(ctx, client.HistoryRequest{Peer: w.name + "-peer", After: uint64(read), Count: 100})
		if err != nil {
			w.t.Errorf("%s: history on node %d behind %d: %v", w.name, node+1, read, err)
			return
		}
		for _, m := range page.Messages {
			if read >= len(w.acked) || m.Seq != w.acked[read] || m.Seq != uint64(read+1) || string(m.Body) != strconv.Itoa(read) {
				w.t.Errorf("%s: on node %d %q stands at %d; %d were acknowledged", w.name, node+1, m.Body, m.Seq, len(w.acked))
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
