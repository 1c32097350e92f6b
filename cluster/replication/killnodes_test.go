package replication_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

const (
	killShards        = 12
	killConversations = 24
	killClients       = 16
)

// kills is how many nodes TestKillingNodes kills; PARLEY_KILLS sets another
// number.
func kills(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_KILLS")); err == nil {
		return n
	}
	if testing.Short() || raceDetector {
		return 6
	}
	return 12
}

// TestKillingNodesLosesNothing kills one node of three after the other under
// load: started again at once, left dead for a while, or wiped and replaced by
// a new one. It wants every acknowledged message at its place on every replica,
// and reports how long each shard took no write.
func TestKillingNodesLosesNothing(t *testing.T) {
	c := newCluster(t, 3, killShards)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c.awaitLeaders(ctx)
	l := newLoad(c)
	l.start(ctx)
	next := 4
	var gaps []time.Duration
	for i := range kills(t) {
		names := c.names()
		slices.Sort(names)
		victim := names[i%len(names)]
		led := c.leaders(ctx)
		before := time.Now()
		c.kill(victim)
		gone := time.Now()
		how := []string{"restart", "stay dead", "wipe"}[i/3%3]
		if how == "restart" {
			c.start(victim)
		}
		worst := time.Duration(0)
		for s := storage.ShardID(1); s <= killShards; s++ {
			if led[s] == victim {
				gap := l.awaitAck(ctx, s, gone).Sub(before)
				gaps = append(gaps, gap)
				worst = max(worst, gap)
			}
		}
		t.Logf("kill %d: %s, %s: %d shards led, the last one writable after %v", i+1, victim, how, count(led, victim), worst.Round(time.Millisecond))
		switch how {
		case "stay dead":
			c.await(ctx, "two seconds have passed", func() bool { return time.Since(gone) > 2*time.Second })
			c.start(victim)
		case "wipe":
			name := storage.NodeID(fmt.Sprintf("n%d", next))
			next++
			c.wipe(victim, name)
			l.replace(ctx, victim, name)
		}
		c.awaitLeaders(ctx)
	}
	l.stop()
	l.check(ctx)
	slices.Sort(gaps)
	if len(gaps) > 0 {
		t.Logf("%d kills, %d shards without a leader: writable again after p50 %v, p99 %v, at most %v; %d acknowledged, %d retries; 0 lost, 0 duplicated, 0 gaps",
			kills(t), len(gaps), at(gaps, 50), at(gaps, 99), gaps[len(gaps)-1].Round(time.Millisecond), len(l.acked), l.retries)
		if gaps[len(gaps)-1] > 5*time.Second {
			t.Errorf("a shard took no write for %v", gaps[len(gaps)-1])
		}
	}
}

func at(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(time.Millisecond)
}

func count(led map[storage.ShardID]storage.NodeID, node storage.NodeID) (n int) {
	for _, name := range led {
		if name == node {
			n++
		}
	}
	return n
}

// load is a number of clients that send without pause, each message until it is
// acknowledged.
type load struct {
	c    *cluster
	keys []chat.ConversationKey

	mu      sync.Mutex
	leader  map[storage.ShardID]storage.NodeID
	sent    map[chat.ClientMessageID]chat.ConversationKey
	acked   map[chat.ClientMessageID]uint64
	acks    map[storage.ShardID][]time.Time // when, ascending
	retries int
	failed  []string

	end     context.CancelFunc
	stopped sync.WaitGroup
}

func newLoad(c *cluster) *load {
	l := &load{
		c: c, leader: make(map[storage.ShardID]storage.NodeID), sent: make(map[chat.ClientMessageID]chat.ConversationKey),
		acked: make(map[chat.ClientMessageID]uint64), acks: make(map[storage.ShardID][]time.Time),
	}
	covered := make(map[storage.ShardID]int)
	for i := 0; len(l.keys) < killConversations; i++ { // as many in each shard
		k := chat.PeerConversation(1, "ann", fmt.Sprintf("user%d", i))
		if s := storage.ConversationShard(c.shards, k); covered[s] < killConversations/c.shards {
			covered[s]++
			l.keys = append(l.keys, k)
		}
	}
	return l
}

func (l *load) start(ctx context.Context) {
	ctx, l.end = context.WithCancel(ctx)
	for i := range killClients {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		l.stopped.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.send(ctx, rng, l.keys[(i+n)%len(l.keys)])
			}
		})
	}
}

// stop lets every client finish the message that it is at.
func (l *load) stop() {
	l.end()
	l.stopped.Wait()
}

// send sends one message until it is acknowledged, also beyond the end of ctx.
func (l *load) send(ctx context.Context, rng *rand.Rand, k chat.ConversationKey) {
	s := chat.Send{
		Conversation: k, Sender: "ann", IssuedAt: time.Now().UnixMilli(), Window: chat.DefaultLimits().Dedupe,
		Type: chat.TypeText, Content: []byte("a message of the load, about as long as people write"),
	}
	for i := range s.ClientMessageID {
		s.ClientMessageID[i], s.Salt[i] = byte(rng.Uint32()), byte(rng.Uint32())
	}
	l.mu.Lock()
	l.sent[s.ClientMessageID] = k
	l.mu.Unlock()
	shard := storage.ConversationShard(l.c.shards, k)
	begun := time.Now()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for try := 0; ; try++ {
		node := l.to(shard, try)
		var sent Sent
		attempt, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := l.c.call(attempt, node, "Send", s, &sent)
		cancel()
		if err == nil && sent.Code == 0 {
			l.done(s.ClientMessageID, shard, node, sent.Seq)
			return
		}
		if err == nil && !chat.Code(sent.Code).Retryable() {
			l.fail("%s refused: %s", node, sent.Reason)
			return
		}
		if time.Since(begun) > 30*time.Second {
			l.fail("no ack within 30 s for shard %d, the last answer: %v %s", shard, err, sent.Reason)
			return
		}
		l.mu.Lock()
		l.retries++
		l.mu.Unlock()
		select {
		case <-again.C:
		case <-ctx.Done(): // the message is finished all the same
		}
	}
}

// to is whom to ask: who led last, then the others in turn.
func (l *load) to(shard storage.ShardID, try int) storage.NodeID {
	l.mu.Lock()
	known := l.leader[shard]
	l.mu.Unlock()
	names := l.c.names()
	slices.Sort(names)
	if try == 0 && slices.Contains(names, known) || len(names) == 0 {
		return known
	}
	return names[try%len(names)]
}

func (l *load) done(id chat.ClientMessageID, shard storage.ShardID, node storage.NodeID, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leader[shard] = node
	l.acked[id] = seq
	l.acks[shard] = append(l.acks[shard], time.Now())
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, fmt.Sprintf(format, args...))
}

// awaitAck waits for the first message of a shard that is acknowledged after a
// moment, and tells when that was.
func (l *load) awaitAck(ctx context.Context, shard storage.ShardID, after time.Time) (first time.Time) {
	l.c.await(ctx, fmt.Sprintf("shard %d takes a write", shard), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		acks := l.acks[shard]
		n, _ := slices.BinarySearchFunc(acks, after, time.Time.Compare)
		if n < len(acks) {
			first = acks[n]
		}
		return n < len(acks)
	})
	return first
}

// replace moves every replica of a dead node to a new one.
func (l *load) replace(ctx context.Context, dead, by storage.NodeID) {
	for s := storage.ShardID(1); int(s) <= l.c.shards; s++ {
		l.c.await(ctx, fmt.Sprintf("shard %d moves from %s to %s", s, dead, by), func() bool {
			return slices.ContainsFunc(l.c.names(), func(name storage.NodeID) bool { return l.move(ctx, name, s, dead, by) })
		})
	}
}

// move asks one node to put a replica of a shard in the place of another; the
// leader will.
func (l *load) move(ctx context.Context, ask storage.NodeID, s storage.ShardID, dead, by storage.NodeID) bool {
	var d logpb.Descriptor
	if l.c.call(ctx, ask, "Descriptor", s, &d) != nil {
		return false
	}
	voters := []storage.NodeID{by}
	for _, m := range d.Members {
		if node := storage.NodeID(m.Node); slices.Contains(d.Voters, m.Replica) && node != dead && node != by {
			voters = append(voters, node)
		}
	}
	var reason string
	return l.c.call(ctx, ask, "Reshape", Reshape{s, replication.Target{Voters: voters}}, &reason) == nil && reason == ""
}

// check compares what was acknowledged with every node's own replica.
func (l *load) check(ctx context.Context) {
	t := l.c.t
	for _, f := range l.failed {
		t.Error(f)
	}
	for _, k := range l.keys {
		logs := make(map[storage.NodeID]Log)
		l.c.await(ctx, "all replicas come to the same end of "+k.ID, func() bool {
			var heads []uint64
			for _, name := range l.c.names() {
				var log Log
				if err := l.c.call(ctx, name, "Log", k, &log); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if log.Replica != 0 {
					logs[name] = log
					heads = append(heads, log.Seq)
				}
			}
			slices.Sort(heads)
			return len(heads) == 3 && len(slices.Compact(heads)) == 1
		})
		l.checkLogs(k, logs)
	}
	if len(l.acked) != len(l.sent) {
		t.Errorf("%d of %d messages are acknowledged", len(l.acked), len(l.sent))
	}
}

func (l *load) checkLogs(k chat.ConversationKey, logs map[storage.NodeID]Log) {
	t := l.c.t
	names := slices.Sorted(maps.Keys(logs))
	first := logs[names[0]]
	for _, name := range names {
		if log := logs[name]; !log.Whole || !slices.Equal(log.IDs, first.IDs) {
			t.Errorf("%s: the log on %s differs from that on %s, or is broken", k.ID, name, names[0])
		}
	}
	place := make(map[chat.ClientMessageID]uint64)
	for i, id := range first.IDs {
		if place[id] != 0 || l.sent[id] != k {
			t.Errorf("entry %d is there twice, or was never sent", i+1)
		}
		place[id] = uint64(i + 1)
	}
	for id, seq := range l.acked {
		if l.sent[id] == k && place[id] != seq {
			t.Errorf("a message that was acknowledged as %d is at %d", seq, place[id])
		}
	}
}
