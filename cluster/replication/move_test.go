package replication_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// largeShard is how many MiB the shard that moves holds: PARLEY_SHARD_MIB, else
// 64.
func largeShard() int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_SHARD_MIB")); err == nil {
		return n
	}
	return 64
}

// TestAReplicaMovesUnderLoad adds a fourth node to a cluster under load, moves a
// replica of a large shard to it and takes the old one out: by a snapshot, as
// the log does not go back that far, and without keeping other shards waiting.
func TestAReplicaMovesUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves much data")
	}
	c := newCluster(t, 3, killShards)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c.fill(ctx, 1, largeShard()<<20)
	l := newLoad(c)
	l.start(ctx)
	for s := storage.ShardID(1); s <= killShards; s++ {
		l.awaitAck(ctx, s, time.Now())
	}
	quiet := time.Now()
	c.await(ctx, "load has run for comparison", func() bool { return time.Since(quiet) > 3*time.Second })
	c.add("n4")
	c.start("n4")
	begun := time.Now()
	leader, away := movable(ctx, t, c)
	c.await(ctx, "shard 1 has moved", func() bool { return l.move(ctx, leader, 1, away, "n4") })
	took := time.Since(begun)
	var d logpb.Descriptor
	if err := c.call(ctx, leader, "Descriptor", storage.ShardID(1), &d); err != nil || len(d.Voters) != 3 {
		t.Errorf("after the move the shard is %+v, %v", &d, err)
	}
	for s := storage.ShardID(1); s <= killShards; s++ {
		l.awaitAck(ctx, s, time.Now())
	}
	end := time.Now()
	c.await(ctx, "the old replica is gone", func() bool { return c.gone(ctx, away, 1) })
	l.stop()
	l.check(ctx)
	t.Logf("%d MiB moved from %s to n4 in %v; longest time without an ack in any shard: %v before, %v during; %d acknowledged, %d retries; 0 lost",
		largeShard(), away, took.Round(time.Millisecond), l.longestGap(quiet, begun), l.longestGap(begun, end), len(l.acked), l.retries)
}

// fill gives a shard so many bytes more, whoever leads it meanwhile: a busy disk
// can cost a leader its term.
func (c *cluster) fill(ctx context.Context, shard storage.ShardID, bytes int) {
	for filled, u := 0, 0; filled < bytes; u++ {
		f := Fill{shard, fmt.Sprintf("u%d", u)}
		if storage.ConversationShard(killShards, chat.PeerConversation(1, "filler", f.Peer)) != shard {
			continue
		}
		c.await(ctx, "a batch is acknowledged", func() bool {
			return c.call(ctx, c.leaders(ctx)[shard], "Fill", f, new(bool)) == nil
		})
		filled += fillBatch * fillBody
	}
}

// movable is who leads shard 1, and a node with another replica of it.
func movable(ctx context.Context, t *testing.T, c *cluster) (leader, away storage.NodeID) {
	leader = c.awaitLeaders(ctx)[1]
	for _, name := range c.voters {
		if name != leader {
			return leader, name
		}
	}
	t.Fatal("there is one node only")
	return "", ""
}

// gone says whether a node has no replica of a shard any more.
func (c *cluster) gone(ctx context.Context, node storage.NodeID, s storage.ShardID) bool {
	err := c.call(ctx, node, "Descriptor", s, &logpb.Descriptor{})
	return err != nil && ctx.Err() == nil
}

// longestGap is the longest time between two acks of a shard in a period.
func (l *load) longestGap(from, to time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, acks := range l.acks {
		last := from
		for _, at := range acks {
			if at.After(from) && at.Before(to) {
				longest = max(longest, at.Sub(last))
				last = at
			}
		}
	}
	return longest.Round(time.Millisecond)
}
