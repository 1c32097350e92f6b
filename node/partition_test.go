package node_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/client"
)

// What a cut may cost, by the design.
const (
	refusedWithin   = 2 * time.Second  // a send on the smaller side
	convergedWithin = 10 * time.Second // everybody, after the healing
)

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

// separate cuts one pair of nodes apart, while the third reaches both. What the
// third leads goes on, for everybody. Who needs the other side is refused, in
// twice the time, as a node that is asked may itself need one that it misses.
func (c *cutCluster) separate(how string, cut func(a, b []int)) {
	c.Helper()
	c.await("all nodes lead", c.spread)
	cut([]int{0}, []int{1})
	since := time.Now()
	c.await("everybody has an answer, those whom the third node serves an acknowledgement", func() bool {
		s := c.nodes[2].Status()
		return c.every([]int{0, 1, 2}, func(w *cutWriter) bool {
			return acknowledged(since)(w) || s.Shards[w.shard-1].Leader != s.Node && refused(since)(w)
		})
	})
	c.await("both nodes miss what the other one leads", func() bool { return c.any(0, refused(since)) && c.any(1, refused(since)) })
	converged := c.heal(how)
	count, longest := c.refusals([]int{0, 1, 2}, since, 2*refusedWithin)
	c.Logf("nodes 1 and 2 apart, %s: %d refusals, longest %v; healed after %v", how, count, longest.Round(time.Millisecond), converged.Round(time.Millisecond))
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
				c.Errorf("%s was answered %v after the cut: %v", w.name, a.ended.Sub(cut), a.err)
			}
		}
	}
	_, longest := c.refusals([]int{node}, cut, refusedWithin)
	return longest
}

// refusals wants each in time.
func (c *cutCluster) refusals(nodes []int, since time.Time, within time.Duration) (count int, longest time.Duration) {
	c.Helper()
	for _, w := range c.writers {
		for _, a := range w.since(since) {
			if took := a.ended.Sub(a.begun); slices.Contains(nodes, w.gateway) && a.err != nil {
				count++
				longest = max(longest, took)
				if took > within {
					c.Errorf("%s was refused after %v, want at most %v: %v", w.name, took, within, a.err)
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
