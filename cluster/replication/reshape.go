package replication

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/storage"
)

// Target is the set of replicas that a shard shall have: at least one voter,
// and at most one replica on a node.
type Target = round.Target

// LedShard is a shard that a node leads, as of Led.
type LedShard = round.Led

// Follower is another replica of a shard that a node leads.
type Follower = round.Follower

// lookAgain is how often a reshape looks how far it is.
const lookAgain = 20 * time.Millisecond

// reshaping is a Reshape under way.
type reshaping struct {
	superseded context.CancelFunc
}

var errSuperseded = chat.Errorf(chat.CodeBusy, "change replicas", "the shard was given another target meanwhile")

// Reshape brings a shard's replicas to exactly the target, on the node that
// leads the shard: learners first, then, when they have caught up, one joint
// change that promotes, demotes and removes. It may be called again after an
// error, also on the next leader, and goes on where the shard is. A leader that
// is not to be a voter hands over first and answers Unavailable, so that the
// next one is asked. Of two calls for a shard the later one goes on, and the
// earlier one answers Busy. When ctx ends first, a change that was begun may
// still happen.
func (h *Host) Reshape(ctx context.Context, shard storage.ShardID, t Target) error {
	if err := t.Check(); err != nil {
		return err
	}
	alone, end := h.supersede(ctx, shard)
	defer end()
	for {
		reached, err := ask(alone, h, shard, func(core *round.Worker, answer func(bool, error)) { core.Reshape(shard, t, answer) })
		if reached || err != nil && alone.Err() == nil && chat.CodeOf(err) != chat.CodeBusy {
			return err
		}
		select {
		case <-time.After(lookAgain):
		case <-alone.Done():
			return cmp.Or(ctx.Err(), error(errSuperseded))
		}
	}
}

// supersede ends another Reshape of the shard and gives a context that the next
// one will end.
func (h *Host) supersede(ctx context.Context, shard storage.ShardID) (alone context.Context, end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.reshaping[shard]; other != nil {
		other.superseded()
	}
	alone, cancel := context.WithCancel(ctx)
	r := &reshaping{cancel}
	h.reshaping[shard] = r
	return alone, func() {
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.reshaping[shard] == r {
			delete(h.reshaping, shard)
		}
	}
}

// Led lists the shards that this node leads, ascending, the meta shard first,
// each as it was at a moment between two rounds. It waits for a round of each
// worker.
func (h *Host) Led(ctx context.Context) ([]LedShard, error) {
	var out []LedShard
	for _, w := range h.workers {
		led, err := askWorker(ctx, w, func(core *round.Worker, answer func([]LedShard, error)) { answer(core.Led(), nil) })
		if err != nil {
			return nil, err
		}
		out = append(out, led...)
	}
	slices.SortFunc(out, func(a, b LedShard) int { return cmp.Compare(a.Shard, b.Shard) })
	return out, nil
}
