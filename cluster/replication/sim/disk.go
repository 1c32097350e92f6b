package sim

import (
	"errors"
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// Disk is what a node keeps its store on.
type Disk interface {
	// Open gives the store on the disk, as a start of the process finds it.
	Open() (storage.Store, error)
	// Crash ends the use of the store. lose says how many of the unsynced commits
	// stay, the first ones; a disk that cannot count them asks with 1 for all.
	Crash(lose func(unsynced int) (kept int))
}

// modelDisk is a memory.Store.
type modelDisk struct{ *memory.Store }

func newModelDisk(shards int, node storage.NodeID, p Plant) Disk {
	s := memory.New(shards, node)
	s.TearInstall = p == TearInstall
	return modelDisk{s}
}

// Open implements Disk.
func (d modelDisk) Open() (storage.Store, error) { return d.Store, nil }

var errDisk = errors.New("sim: the disk failed")

// disk is a node's store as its process sees it: it fails when told, watches
// what is written, and has the planted bugs that are the disk's.
type disk struct {
	storage.Store
	n       *node
	failing bool     // the next commit fails
	applied []uint64 // newest applied index by shard
	synced  uint64   // commits
	open    []*batch
}

func newDisk(n *node, s storage.Store) *disk {
	d := &disk{Store: s, n: n, applied: make([]uint64, n.run.plan.shards+1)}
	for i := range d.applied[1:] {
		rep, err := s.Replica(storage.ShardID(i + 1))
		if err != nil {
			n.run.violate("n%d shard %d: %v", n.number, i+1, err)
		}
		if d.applied[i+1] = rep.Applied.Index; rep.ID != 0 && !rep.Removed {
			n.run.checkReplica(n, storage.ShardID(i+1), rep)
		}
	}
	return d
}

// checkReplica checks the store's invariant.
func (r *run) checkReplica(n *node, s storage.ShardID, rep storage.Replica) {
	if rep.Base.Index > rep.Applied.Index || rep.Applied.Index > rep.Last {
		r.violate("n%d shard %d: base %d, applied %d, last %d", n.number, s, rep.Base.Index, rep.Applied.Index, rep.Last)
	}
}

// batch watches a storage.Batch.
type batch struct {
	storage.Batch
	d        *disk
	appends  bool
	appended map[storage.ShardID][]storage.LogEntry
	votes    bool
	applied  []appliedTo
	truncate uint64
}

type appliedTo struct {
	shard storage.ShardID
	a     storage.Applied
}

// Batch implements storage.Store.
func (d *disk) Batch() storage.Batch {
	b := &batch{Batch: d.Store.Batch(), d: d}
	d.open = append(d.open, b)
	return b
}

// abandon drops the batches that are open when the process ends.
func (d *disk) abandon() {
	for _, b := range d.open {
		b.Batch.Discard()
	}
	d.open = nil
}

// closed forgets a batch that is used up.
func (b *batch) closed() {
	b.d.open = slices.DeleteFunc(b.d.open, func(x *batch) bool { return x == b })
}

// Discard implements storage.Batch.
func (b *batch) Discard() {
	b.closed()
	b.Batch.Discard()
}

// State implements storage.Batch.
func (b *batch) State(s storage.ShardID) *chat.State {
	state := b.Batch.State(s)
	if b.d.n.run.o.Plant == DedupeOff {
		blind := *state
		blind.Dedupes = forgetful{state.Dedupes}
		return &blind
	}
	return state
}

// forgetful finds no dedupe row.
type forgetful struct{ chat.Dedupes }

// Get implements chat.Dedupes.
func (forgetful) Get(chat.DedupeKey) (chat.Dedupe, bool) {
	return chat.Dedupe{}, false
}

// Append implements storage.Batch.
func (b *batch) Append(s storage.ShardID, entries []storage.LogEntry) {
	b.appends = true
	if b.appended == nil {
		b.appended = make(map[storage.ShardID][]storage.LogEntry)
	}
	b.appended[s] = entries
	b.Batch.Append(s, entries)
}

// Create implements storage.Batch.
func (b *batch) Create(s storage.ShardID, id storage.ReplicaID, a storage.Applied) {
	b.appends = true
	b.Batch.Create(s, id, a)
	b.applied = append(b.applied, appliedTo{s, a})
}

// SetHardState implements storage.Batch.
func (b *batch) SetHardState(s storage.ShardID, h storage.HardState) {
	b.votes = true
	b.Batch.SetHardState(s, h)
}

// SetApplied implements storage.Batch.
func (b *batch) SetApplied(s storage.ShardID, a storage.Applied) {
	b.Batch.SetApplied(s, a)
	b.applied = append(b.applied, appliedTo{s, a})
}

// Truncate implements storage.Batch. The new base must be the entry that the log
// has there once the batch is committed: Raft compares other logs with it.
func (b *batch) Truncate(s storage.ShardID, base storage.Position) {
	if has, ok := b.at(s, base.Index); ok && has != base {
		b.d.n.run.violate("n%d shard %d: base %v where the log has %v", b.d.n.number, s, base, has)
	}
	b.truncate++
	b.Batch.Truncate(s, base)
}

// at is the entry of an index as the batch will leave it; false where there is
// none to compare with.
func (b *batch) at(s storage.ShardID, index uint64) (storage.Position, bool) {
	entries := b.appended[s]
	if len(entries) == 0 || index < entries[0].Index {
		var err error
		if entries, err = b.d.Store.Log(s, index, index+1, 1); err != nil || len(entries) == 0 {
			return storage.Position{}, false
		}
	}
	if at := index - entries[0].Index; at < uint64(len(entries)) {
		return entries[at].Position, true
	}
	return storage.Position{}, false
}

// Commit implements storage.Batch.
func (b *batch) Commit(sync bool) error {
	b.closed()
	n, plant := b.d.n, b.d.n.run.o.Plant
	if b.d.failing {
		written := n.run.chance(0.5)
		n.run.trace.add(evDiskError, n.number, 0, bit(written))
		if written { // the error came after it
			if err := b.Batch.Commit(false); err != nil {
				return err
			}
		} else {
			b.Batch.Discard()
		}
		return errDisk
	}
	if plant == SyncOff || plant == VoteUnsynced && b.votes && !b.appends {
		sync = false
	}
	if err := b.Batch.Commit(sync); err != nil {
		return err
	}
	if sync {
		b.d.synced++
	}
	n.run.stats.Truncations += b.truncate
	for _, a := range b.applied {
		b.d.sawApplied(a.shard, a.a)
	}
	return nil
}

// sawApplied checks an applied index that was written: it grows, and whoever
// applied this index had the same entry and configuration there.
func (d *disk) sawApplied(shard storage.ShardID, a storage.Applied) {
	r, s := d.n.run, d.n.run.shards[shard]
	r.trace.add(evApplied, d.n.number, uint64(shard), a.Index, uint64(a.Term))
	if a.Index < d.applied[shard] {
		r.violate("n%d shard %d: applied runs back from %d to %d", d.n.number, shard, d.applied[shard], a.Index)
	}
	d.applied[shard] = a.Index
	if a.Index == 0 {
		return
	}
	if other, ok := s.applied[a.Index]; ok && other != a.Position {
		r.violate("n%d shard %d: applied entry %d is of term %d, elsewhere of term %d", d.n.number, shard, a.Index, a.Term, other.Term)
	}
	s.applied[a.Index] = a.Position
	r.sawDescriptor(d.n, s, a)
}

// Install implements storage.Store.
func (d *disk) Install(shard storage.ShardID, from storage.Staging) error {
	if err := d.Store.Install(shard, from); err != nil {
		return err
	}
	rep := d.n.replicaOf(shard)
	d.n.run.stats.Installs++
	d.n.run.trace.add(evInstall, d.n.number, uint64(shard), rep.Applied.Index)
	d.sawApplied(shard, rep.Applied)
	return nil
}

// Destroy implements storage.Store.
func (d *disk) Destroy(shard storage.ShardID) error {
	rep := d.n.replicaOf(shard)
	d.n.run.stats.Destroys++
	d.n.run.trace.add(evDestroy, d.n.number, uint64(shard), uint64(rep.ID))
	d.n.run.checkDestroyed(d.n, shard, rep.ID)
	d.applied[shard] = 0
	return d.Store.Destroy(shard)
}
