// Package round is the replication host's pure core: the Raft groups of one
// worker, stepped in rounds. It has no clock, goroutine, socket or randomness
// of its own; it reads and writes the Store it is given and returns everything
// else for its caller to do. The host (cluster/replication) drives it with real
// time and connections, the simulator (cluster/replication/sim) with those of a
// seed. Nothing in it may be called from two goroutines at once. See DESIGN.md.
//
// One round: whatever arrived is handed in by Step, Propose, Read, Tick and so
// on; Begin steps all groups that have something to do and fills one batch;
// the caller tells the leaderships that ended, sends the appends, answers, and
// commits (Round.Commit); Finish tells what only a durable batch allows.
package round

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.etcd.io/raft/v3"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// TickInterval is the time between two Ticks. A leader that hears of no quorum
// for ElectionTime steps down; a follower that hears of no leader for as long,
// and up to twice that, campaigns.
const (
	TickInterval   = 50 * time.Millisecond
	ElectionTime   = electionTicks * TickInterval
	electionTicks  = 10
	heartbeatTicks = 2
)

// Options says what a worker works with.
type Options struct {
	Store storage.Store
	// Origin is a random number of this start of the node: it tells its own
	// proposals from those of others and of earlier starts.
	Origin uint64
	// Keep bounds the logs; the zero value is what a host uses.
	Keep Keep
	// Plant is a bug that the simulator must find; none outside of its tests.
	Plant Plant
	// Applied and Installed are the host's.
	Applied   func(storage.ShardID, []chat.Event)
	Installed func(storage.ShardID)
	Log       *slog.Logger
}

// Plant names a deliberate bug.
type Plant uint8

// The bugs that can only be planted inside.
const (
	NoPlant        Plant = iota
	ApplyEarly           // entries are applied when proposed, before they are committed
	ReadStale            // reads are served without asking a quorum
	AnswerUnsynced       // proposals are answered, and votes given, before the commit
)

// Worker is a set of groups. Its methods and those of its Rounds belong to one
// goroutine.
type Worker struct {
	o    Options
	node storage.NodeID
	now  time.Duration

	groups    map[storage.ShardID]*group
	sorted    []*group // by shard
	active    []*group // with something to do in the next round
	campaigns []*group // that will campaign at a time of their own
	sending   int      // snapshots frozen and not reported
	withheld  bool     // the node is not to lead

	cut map[storage.NodeID]bool // connections that broke, until a word comes

	number uint64 // of the worker's own proposals, counted down from the top
	round  *Round
	owed   []Answer // that no group stands for

	answers, durable []Answer // empty: memory for the next round's

	controlMessages []Outgoing // messages that are not Raft's, for the next Finish
	fatal           error      // the store is not what it was; ends the next round
}

// Leadership is a term in which this node leads a shard.
type Leadership struct {
	Shard storage.ShardID
	Term  storage.Term
}

// Outgoing is a message for another node.
type Outgoing struct {
	To      storage.NodeID
	Message *peerpb.Message
}

// Answer is a call that the caller owes a proposer or reader.
type Answer struct {
	Done    func(storage.Outcome, error)
	Outcome storage.Outcome
	Err     error
}

// New loads the groups of the given shards: those that the store has a replica
// of. Others come to be by Bootstrap, or when another node makes this one a
// member.
func New(o Options, shards []storage.ShardID) (*Worker, error) {
	o.Keep = o.Keep.orDefault()
	w := &Worker{o: o, node: o.Store.Node(), groups: make(map[storage.ShardID]*group), cut: make(map[storage.NodeID]bool), number: ^uint64(0)}
	for _, s := range shards {
		r, err := o.Store.Replica(s)
		if err != nil {
			return nil, fmt.Errorf("load shard %d: %w", s, err)
		}
		if r.ID == 0 || r.Removed {
			continue
		}
		if _, err := w.load(s, r); err != nil {
			return nil, fmt.Errorf("load shard %d: %w", s, err)
		}
	}
	return w, nil
}

// Origin is the number that the worker knows its own proposals by.
func (w *Worker) Origin() uint64 { return w.o.Origin }

// load makes the group of a replica in the store.
func (w *Worker) load(shard storage.ShardID, r storage.Replica) (*group, error) {
	g, err := newGroup(w, shard, r)
	if err != nil {
		return nil, err
	}
	w.groups[shard] = g
	at, _ := slices.BinarySearchFunc(w.sorted, shard, func(g *group, s storage.ShardID) int { return int(g.shard) - int(s) })
	w.sorted = slices.Insert(w.sorted, at, g)
	g.campaignFirst()
	w.touch(g)
	return g, nil
}

// drop forgets a group whose replica is gone.
func (w *Worker) drop(g *group) {
	delete(w.groups, g.shard)
	w.sorted = slices.DeleteFunc(w.sorted, func(x *group) bool { return x == g })
	w.campaigns = slices.DeleteFunc(w.campaigns, func(x *group) bool { return x == g })
}

// touch puts a group on the list of the next round.
func (w *Worker) touch(g *group) {
	if !g.active {
		g.active = true
		w.active = append(w.active, g)
	}
}

// Tick advances every group's clock by one tick.
func (w *Worker) Tick() {
	for _, g := range w.sorted {
		g.tick()
	}
}

// Busy says that another round has something to do at once.
func (w *Worker) Busy() bool { return len(w.active)+len(w.owed)+len(w.controlMessages) > 0 }

// Deadline is the time of the next round that is due without any input; false
// when none is but the next tick's.
func (w *Worker) Deadline() (at time.Duration, ok bool) {
	for _, g := range w.campaigns {
		if !ok || g.campaignAt < at {
			at, ok = g.campaignAt, true
		}
	}
	return at, ok
}

// Round is what Begin wants done, in the order of its fields, then Commit, then
// Finish.
type Round struct {
	// Lost leaderships: their actors must be gone before anything else is done.
	Lost []Leadership
	// Appends may leave before the commit: a leader may count itself last.
	Appends []Outgoing
	// Answers to proposals that a quorum made durable and that are applied, and
	// refusals. They are gone with Finish.
	Answers []Answer

	durable  []Answer // After's
	batch    storage.Batch
	wrote    bool // the batch holds something
	sync     bool
	installs []install
	destroys []storage.ShardID
	store    storage.Store
	groups   []*group // that are in this round
}

// After is what a committed round allows, in the order of its fields.
type After struct {
	Messages []Outgoing
	Gained   []Leadership
	// Answers to proposals that the commit made durable and that are applied. They
	// are gone with the next Begin.
	Answers []Answer
	// Reads may be served now, from views opened after Finish.
	Reads []Read
	// Snapshots to be sent; each must be reported by SnapshotSent.
	Snapshots []Snapshot
}

// Begin steps every group that has something to do. now is any monotonic time.
func (w *Worker) Begin(now time.Duration) *Round {
	w.now = now
	w.campaignDue()
	r := &Round{Answers: append(w.answers, w.owed...), durable: w.durable, batch: w.o.Store.Batch(), store: w.o.Store, groups: w.active}
	w.round, w.owed, w.active, w.answers, w.durable = r, nil, nil, nil, nil
	for _, g := range r.groups {
		g.active = false
		g.begin(r)
	}
	if r.batch.Err() != nil { // results may rest on rows that could not be read
		r.Answers = nil
	}
	return r
}

// Commit makes the round durable, step by step; a crash between two of them is
// one that the next start repairs. After an error the process must end.
func (r *Round) Commit() error {
	for _, step := range r.Steps() {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Sync says whether the commit waits for the disk.
func (r *Round) Sync() bool { return r.sync }

// Steps are the parts of Commit, each to be called once and in order.
func (r *Round) Steps() []func() error {
	steps := []func() error{func() error {
		if !r.wrote && r.batch.Err() == nil {
			r.batch.Discard()
			return nil
		}
		return r.batch.Commit(r.sync)
	}}
	for _, i := range r.installs {
		steps = append(steps, func() error { return r.store.Install(i.group.shard, i.staged.Staging) })
	}
	for _, shard := range r.destroys {
		steps = append(steps, func() error { return r.store.Destroy(shard) })
	}
	return steps
}

// maxKept bounds the memory that is kept from round to round, in elements: that
// of a burst goes.
const maxKept = 4096

// Finish ends the round after its commit. The error is one of the store, also
// storage.ErrOutdated: the
// process must end, and Abandon gives the answers.
func (w *Worker) Finish() (*After, error) {
	if w.fatal != nil {
		return nil, w.fatal
	}
	r, after := w.round, &After{}
	if cap(r.Answers) <= maxKept {
		clear(r.Answers)
		w.answers = r.Answers[:0]
	}
	for _, i := range r.installs {
		if err := i.group.installed(i.staged); err != nil {
			return nil, err
		}
		if w.o.Installed != nil {
			w.o.Installed(i.group.shard)
		}
	}
	for _, g := range r.groups {
		if err := g.finish(after); err != nil {
			return nil, err
		}
	}
	after.Messages = append(after.Messages, w.controlMessages...)
	w.controlMessages = nil
	after.Answers = r.durable
	if cap(r.durable) <= maxKept {
		w.durable = r.durable[:0] // not cleared: they are handed out
	}
	w.round = nil
	return after, nil
}

// quiet hands Raft's own messages on as debug; its panics stay.
type quiet struct {
	log   *slog.Logger
	shard storage.ShardID
}

func newLogger(log *slog.Logger, shard storage.ShardID) raft.Logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return quiet{log: log, shard: shard}
}

func (q quiet) debug(format string, v ...any) {
	if q.log.Enabled(context.Background(), slog.LevelDebug) {
		q.log.Debug("raft: "+fmt.Sprintf(format, v...), "shard", q.shard)
	}
}

func (q quiet) Debug(v ...any)                   { q.debug("%s", fmt.Sprint(v...)) }
func (q quiet) Debugf(format string, v ...any)   { q.debug(format, v...) }
func (q quiet) Info(v ...any)                    { q.debug("%s", fmt.Sprint(v...)) }
func (q quiet) Infof(format string, v ...any)    { q.debug(format, v...) }
func (q quiet) Warning(v ...any)                 { q.debug("%s", fmt.Sprint(v...)) }
func (q quiet) Warningf(format string, v ...any) { q.debug(format, v...) }
func (q quiet) Error(v ...any)                   { q.debug("%s", fmt.Sprint(v...)) }
func (q quiet) Errorf(format string, v ...any)   { q.debug(format, v...) }
func (q quiet) Fatal(v ...any)                   { panic(fmt.Sprint(v...)) }
func (q quiet) Fatalf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }
func (q quiet) Panic(v ...any)                   { panic(fmt.Sprint(v...)) }
func (q quiet) Panicf(format string, v ...any)   { panic(fmt.Sprintf(format, v...)) }
