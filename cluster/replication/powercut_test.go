package replication_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
)

const (
	cutShards    = 4
	cutsPerChain = 20
)

// chains is how many disks live through cutsPerChain power cuts each: 1,000
// cuts in all, 100 under the race detector or with -short.
func chains() int {
	if raceDetector || testing.Short() {
		return 5
	}
	return 50
}

// TestAPowerCutLosesNothingThatWasAcknowledged runs chains of power cuts, each
// from the seed in its name. A seed repeats the commands and the cut's place
// among the disk's operations; the goroutines' order is not repeatable.
func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	var cuts, acks, unknown, opening atomic.Int64
	t.Run("chains", func(t *testing.T) {
		for seed := range chains() {
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, uint64(seed))
				for range cutsPerChain {
					w.live()
				}
				w.finish()
				cuts.Add(cutsPerChain)
				acks.Add(int64(len(w.acked)))
				unknown.Add(int64(w.unknown))
				opening.Add(int64(w.opening))
			})
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("%d power cuts, %d of them while the store was opening: %d sends acknowledged, %d without an answer when the power went; 0 lost, 0 duplicated, 0 gaps",
		cuts.Load(), opening.Load(), acks.Load(), unknown.Load())
}

// world is a disk's life: what was said to it and what it answered before the
// power went.
type world struct {
	*testing.T
	rng  *rand.Rand
	mem  *vfs.MemFS
	disk *crashfs.Disk
	host *replication.Host

	sends            []chat.Send
	unknown, opening int

	mu      sync.Mutex
	acked   map[int]uint64  // index in sends -> seq
	retried map[pair]uint64 // highest effect that a retry of a first message has queued
	seen    map[spot]chat.ClientMessageID
	settled struct { // acked and seen when the power went
		acked map[int]uint64
		seen  map[spot]chat.ClientMessageID
	}
}

// pair is a stream of effects: source and destination.
type pair [2]storage.ShardID

// spot is a place in a log that a reader has seen.
type spot struct {
	conversation chat.ConversationKey
	seq          uint64
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		T: t, rng: rand.New(rand.NewPCG(seed, 1)), mem: vfs.NewCrashableMem(),
		acked: map[int]uint64{}, seen: map[spot]chat.ClientMessageID{},
		retried: map[pair]uint64{},
	}
}

// start opens the disk; the power goes after a number of operations.
func (w *world) start(operations int64) (stop func()) {
	w.Helper()
	w.disk = crashfs.New(w.mem, crashfs.Options{Operations: operations, Random: rand.New(rand.NewPCG(w.rng.Uint64(), 2)), OnCut: w.settle})
	store, err := pebble.Open(pebble.Options{Dir: "data", FS: w.disk, Shards: cutShards})
	if err != nil {
		w.Fatalf("open: %v", err)
	}
	gained := make(chan struct{}, cutShards+1)
	w.host, err = replication.New(replication.Options{
		Store: store, Shards: cutShards, Voters: []storage.NodeID{store.Node()}, Now: time.Now, Fatal: func(err error) { w.Errorf("fatal: %v", err) },
		Gained: func(storage.ShardID, storage.Term) { gained <- struct{}{} },
	})
	if err != nil {
		w.Fatalf("start: %v", err)
	}
	w.host.Start()
	for range cutShards + 1 { // the meta shard too
		<-gained
	}
	return func() {
		if err := errors.Join(w.host.Close(w.Context()), store.Close()); err != nil {
			w.Errorf("close: %v", err)
		}
	}
}

// settle notes what was promised when the power goes: later answers come from
// a machine that is off.
func (w *world) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled.acked, w.settled.seen = map[int]uint64{}, map[spot]chat.ClientMessageID{}
	for i, seq := range w.acked {
		w.settled.acked[i] = seq
	}
	for at, id := range w.seen {
		w.settled.seen[at] = id
	}
}

// live is one life: from switching on, over a check of what the last one
// left, some work, to the cut.
func (w *world) live() {
	stop := w.start(1 + w.rng.Int64N(160))
	if w.disk.Dark() {
		w.opening++
	}
	w.check()
	w.work()
	w.mem = w.disk.Cut()
	stop()
	w.acked, w.seen = w.settled.acked, w.settled.seen
	w.unknown += len(w.sends) - len(w.acked)
}

// work sends, retries and reads, mostly without waiting for answers.
func (w *world) work() {
	var waiting sync.WaitGroup
	for range 12 {
		if w.disk.Dark() {
			break
		}
		var batch []int
		for range 1 + w.rng.IntN(3) {
			if n := len(w.sends); n > 0 && w.rng.IntN(4) == 0 {
				batch = append(batch, w.rng.IntN(n))
				continue
			}
			batch = append(batch, w.fresh())
		}
		for _, i := range batch {
			w.propose(&waiting, i)
		}
		w.look(&waiting, w.sends[w.rng.IntN(len(w.sends))].Conversation)
		switch w.rng.IntN(6) {
		case 0:
			waiting.Wait()
		case 1:
			w.carry()
		}
	}
	waiting.Wait()
}

// fresh makes a send between two of five users and gives its index.
func (w *world) fresh() int {
	a := w.rng.IntN(5)
	b := (a + 1 + w.rng.IntN(4)) % 5
	name := func(i int) string { return fmt.Sprintf("user%d", i) }
	s := chat.Send{
		Conversation: chat.PeerConversation(1, name(a), name(b)), Sender: name(a), IssuedAt: time.Now().UnixMilli(),
		Type: chat.TypeText, Content: fmt.Appendf(nil, "message %d", len(w.sends)), Window: chat.DefaultLimits().Dedupe,
	}
	for i := range s.ClientMessageID {
		s.ClientMessageID[i], s.Salt[i] = byte(w.rng.Uint32()), byte(w.rng.Uint32())
	}
	w.sends = append(w.sends, s)
	return len(w.sends) - 1
}

// propose sends one and notes the answer.
func (w *world) propose(waiting *sync.WaitGroup, i int) {
	waiting.Add(1)
	s := w.sends[i]
	w.submit(storage.ConversationShard(cutShards, s.Conversation), &s, func(r chat.Result, err error) {
		defer waiting.Done()
		if err != nil || r.Err != nil {
			w.Errorf("send %d: %v %v", i, err, r.Err)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if first, ok := w.acked[i]; ok && (first != r.Sent.Seq || !r.Sent.Duplicate) {
			w.Errorf("send %d was acknowledged as %d, its retry as %+v", i, first, r.Sent)
		}
		w.acked[i] = r.Sent.Seq
		for _, ref := range r.Effects {
			p := pair{storage.ConversationShard(cutShards, s.Conversation), storage.ShardID(ref.Destination)}
			w.retried[p] = max(w.retried[p], ref.Number)
		}
	})
}

func (w *world) submit(shard storage.ShardID, body chat.CommandBody, done func(chat.Result, error)) {
	term, err := w.host.Leader(shard)
	if err != nil {
		w.Errorf("leader: %v", err)
	}
	w.host.Propose(shard, term, []chat.CommandBody{body}, func(out storage.Outcome, err error) {
		var r chat.Result
		if err == nil {
			r = out.Results[0]
		}
		done(r, err)
	})
}

// look reads the newest entry of a conversation, as a client would that goes
// on from there.
func (w *world) look(waiting *sync.WaitGroup, c chat.ConversationKey) {
	waiting.Add(1)
	var newest []chat.Entry
	w.host.Read(storage.ConversationShard(cutShards, c), storage.Asker{}, func(v storage.View) (err error) {
		newest, err = v.Entries(c, 0, 0, 1, true)
		return err
	}, func(err error) {
		defer waiting.Done()
		if err != nil {
			w.Errorf("read: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, e := range newest {
			w.seen[spot{c, e.Seq}] = e.ClientMessageID
		}
	})
}
