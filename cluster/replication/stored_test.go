package replication_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Open is a range of conversations that shall exist.
type Open struct {
	From, Count int
}

// openBatch is how many a proposal opens, openAtOnce how many proposals are
// under way.
const openBatch, openAtOnce = 256, 16

// Open writes a first message to those of the conversations whose shards the
// node leads.
func (n *Node) Open(o Open, opened *int) error {
	batches := make(map[storage.ShardID][]chat.CommandBody)
	slots := make(chan struct{}, openAtOnce)
	var mu sync.Mutex
	var failed error
	propose := func(s storage.ShardID) {
		commands := batches[s]
		delete(batches, s)
		term, err := n.host.Leader(s)
		if err != nil {
			return // somebody else's
		}
		slots <- struct{}{}
		n.host.Propose(s, term, commands, func(_ storage.Outcome, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			} else {
				*opened += len(commands)
			}
			<-slots
		})
	}
	for i := o.From; i < o.From+o.Count; i++ {
		m := &chat.Send{
			Conversation: chat.PeerConversation(1, fmt.Sprintf("user%d", i%1000), fmt.Sprintf("peer%d", i)), Sender: fmt.Sprintf("user%d", i%1000),
			IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe, Type: chat.TypeText, Content: []byte("hello"),
		}
		binary.BigEndian.PutUint64(m.ClientMessageID[:], rand.Uint64())
		s := storage.ConversationShard(n.host.Shards(), m.Conversation)
		if batches[s] = append(batches[s], m); len(batches[s]) == openBatch {
			propose(s)
		}
	}
	for s := range batches {
		propose(s)
	}
	for range openAtOnce { // all are answered
		slots <- struct{}{}
	}
	return failed
}

// TestFailoverDoesNotGrowWithStoredConversations kills leaders of two clusters
// in turn, of which one holds many more conversations, and compares how long
// their shards take no write. PARLEY_CONVERSATIONS sets how many there are; with
// few kills on a busy machine only a growth beyond all scatter counts.
func TestFailoverDoesNotGrowWithStoredConversations(t *testing.T) {
	many, kills, large := 10_000, 4, false
	if n, err := strconv.Atoi(os.Getenv("PARLEY_CONVERSATIONS")); err == nil {
		many, kills, large = n, 20, true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Duration(many)*time.Millisecond)
	defer cancel()
	sizes := []int{1000, many}
	clusters, took := make([]*cluster, len(sizes)), make([][]time.Duration, len(sizes))
	for i, size := range sizes {
		clusters[i] = newCluster(t, 3, killShards)
		clusters[i].awaitLeaders(ctx)
		begun := time.Now()
		clusters[i].open(ctx, size)
		t.Logf("%d conversations opened in %v", size, time.Since(begun).Round(time.Millisecond))
	}
	loads := []*load{newLoad(clusters[0]), newLoad(clusters[1])}
	for _, l := range loads {
		l.start(ctx)
	}
	for range kills {
		for i, l := range loads {
			took[i] = append(took[i], l.failover(ctx))
		}
	}
	for _, l := range loads {
		l.stop()
		l.check(ctx)
	}
	for _, all := range took {
		slices.Sort(all)
	}
	few, more := took[0], took[1]
	ratio := float64(more[kills/2]) / float64(few[kills/2])
	t.Logf("%d kills each: with %d conversations %v, with %d %v; ratio of the medians %.2f", kills, sizes[0], few, sizes[1], more, ratio)
	if large && ratio > 1.25 || float64(more[0]) > 1.25*float64(few[kills-1]) {
		t.Errorf("failover takes %.2f times as long with %d conversations as with %d", ratio, sizes[1], sizes[0])
	}
}

// open has the nodes open so many conversations, a part after the other. A part
// that a busy disk or a change of leaders kept from being complete is opened
// again, which adds a message to the conversations that are there.
func (c *cluster) open(ctx context.Context, count int) {
	c.t.Helper()
	const part = 50_000
	for from := 0; from < count; from += part {
		o := Open{from, min(part, count-from)}
		c.await(ctx, "a part of the conversations is open", func() bool {
			all := 0
			for _, name := range c.names() {
				var opened int
				if err := c.call(ctx, name, "Open", o, &opened); err != nil {
					c.t.Logf("%+v on %s: %v", o, name, err)
					return false
				}
				all += opened
			}
			return all == o.Count
		})
	}
}

// failover kills the node that leads most shards when all followers have caught
// up, and tells how long the last of its shards took no write.
func (l *load) failover(ctx context.Context) (longest time.Duration) {
	c := l.c
	c.t.Helper()
	c.await(ctx, "all followers have caught up", func() bool {
		all := 0
		for _, name := range c.names() {
			var behind int
			if c.call(ctx, name, "Behind", 0, &behind) != nil || behind > 0 {
				return false
			}
			all++
		}
		return all == 3 && len(c.leaders(ctx)) == c.shards
	})
	led := c.leaders(ctx)
	victim := worst(led)
	killed := time.Now()
	c.kill(victim)
	dead := time.Now()
	for s, name := range led {
		if name == victim {
			longest = max(longest, l.awaitAck(ctx, s, dead).Sub(killed))
		}
	}
	c.start(victim)
	return longest
}

// Behind counts the followers of the shards that the node leads that lack more
// than the newest entries.
func (n *Node) Behind(_ int, count *int) error {
	led, err := n.host.Led(context.Background())
	for _, l := range led {
		for _, f := range l.Followers {
			if !f.CaughtUp {
				*count++
			}
		}
	}
	return err
}
