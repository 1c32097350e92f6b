package directory

import (
	"time"

	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// tellLostEvery keeps the repair of dropped pushes from adding to an overload.
const tellLostEvery = time.Second

// lostPushes are those to a node that were dropped and that it was not told of.
type lostPushes struct {
	since time.Duration // when the first was, by elapsed; 0: none was
	told  time.Duration // when the node was last told
}

func (l *lostPushes) note(at time.Duration) {
	if l.since == 0 || at < l.since {
		l.since = max(at, 1)
	}
}

// due says whether the node has to be told; then message is what.
func (l *lostPushes) due(now time.Duration) bool {
	if l.since == 0 || now-l.told < tellLostEvery {
		return false
	}
	l.told = now
	return true
}

func (l *lostPushes) message(now time.Duration) *actorpb.Dropped {
	return &actorpb.Dropped{AgoMs: uint64((now - l.since).Milliseconds())}
}

// uncertain says that pushes of a node to connections of this one may have been
// lost, since a time or since the node was last heard of.
func (d *Directory) uncertain(node storage.NodeID, since time.Duration) {
	for shard := range d.stripes {
		s := &d.stripes[shard]
		s.mu.Lock()
		if s.route.node != node {
			s.mu.Unlock()
			continue
		}
		refused, heard := d.unpark(s), s.route.heard
		s.mu.Unlock()
		d.refuse(refused...)
		if heard > 0 {
			heard = max(min(heard, since), 1)
		}
		d.notifier.movedSince(storage.ShardID(shard), heard)
	}
}

// CommittedAfterTimeout says that conversations of a shard which this node leads have changed so
// long ago without a push.
func (d *Directory) CommittedAfterTimeout(shard storage.ShardID, ago time.Duration) {
	d.notifier.repeat(again{shard, d.elapsed() - ago, everybody})
}

// died says what an activation that panicked may leave undone: pushes of a
// conversation, or the devices of a session, which attach again.
func (d *Directory) died(id Identity, shard storage.ShardID) {
	switch id.Kind {
	case Conversation:
		d.CommittedAfterTimeout(shard, 0)
	case Session:
		since := max(d.elapsed(), 1)
		d.notifier.movedSince(shard, since)
		for _, n := range d.everyNeighbour() {
			n.missed(since)
		}
	}
}

// miss notes that a push was dropped as nobody who leads could be reached.
func (s *stripe) miss(at time.Duration) { s.missed.CompareAndSwap(0, int64(max(at, 1))) }

// tellMissed repeats the pushes of this node to the sessions of a shard that were
// dropped while nobody was known to lead it.
func (d *Directory) tellMissed(shard storage.ShardID) {
	if since := time.Duration(d.stripes[shard].missed.Swap(0)); since > 0 {
		d.notifier.repeat(again{0, since, d.sessionsOf(shard)})
	}
}
