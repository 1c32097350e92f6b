package round

import (
	"go.etcd.io/raft/v3"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// ErrNotLeader is the refusal of whoever does not lead a shard: nothing was done.
var ErrNotLeader = chat.Errorf(chat.CodeUnavailable, "replicate", "this node does not lead the shard")

// Other refusals. Unavailable and Busy say that nothing was done, Timeout that the
// outcome is unknown.
var (
	errBusy    = chat.Errorf(chat.CodeBusy, "replicate", "the shard has too much to write or is moving; try again")
	errUnknown = chat.Errorf(chat.CodeTimeout, "replicate", "the leadership ended before the outcome was known")
)

// gain makes the group serve once it leads and has applied an entry of its own
// term: only then does its state hold everything that earlier leaders
// acknowledged.
func (g *group) gain(after *After) {
	if g.leading == 0 && g.role == raft.StateLeader && g.applied.Term == g.term && g.applied.Index > 0 {
		g.leading = g.term
		after.Gained = append(after.Gained, Leadership{g.shard, g.leading})
	}
}

// lose ends the leadership: what was proposed has an unknown outcome.
func (g *group) lose(r *Round) {
	if g.leading != 0 {
		r.Lost = append(r.Lost, Leadership{g.shard, g.leading})
	}
	g.leading = 0
	for _, n := range sortedKeys(g.pending) {
		g.settle(r, n, storage.Outcome{}, errUnknown)
	}
	for _, n := range sortedKeys(g.reads) {
		refuseReads(r, g.reads[n])
	}
	clear(g.reads)
	for _, a := range g.allowed {
		refuseReads(r, a.reads)
	}
	g.allowed = nil
	clear(g.departed)
}

// refuseAll answers what was not handed to Raft.
func (g *group) refuseAll(r *Round) {
	for _, p := range g.queue {
		r.Answers = append(r.Answers, Answer{Done: p.Done, Err: ErrNotLeader})
	}
	g.queue = nil
	refuseReads(r, g.waiting)
	g.waiting = nil
	if g.staged != nil {
		g.staged.done(ErrNotLeader)
		g.staged = nil
	}
}

func refuseReads(r *Round, reads []Read) {
	for _, read := range reads {
		r.Answers = append(r.Answers, Answer{Done: func(_ storage.Outcome, err error) { read.Refuse(err) }, Err: ErrNotLeader})
	}
}

// Leads is the term in which this node leads the shard, 0 when it does not.
func (w *Worker) Leads(shard storage.ShardID) storage.Term {
	if g := w.groups[shard]; g != nil {
		return g.leading
	}
	return 0
}

// Abandon ends all leaderships and gives what is owed to everybody who waits.
// It may be called in an open round; the worker must not be used after it.
func (w *Worker) Abandon() ([]Leadership, []Answer) {
	r := &Round{Answers: w.owed}
	if w.round != nil {
		for _, a := range w.round.durable { // or not: nobody knows
			r.Answers = append(r.Answers, Answer{Done: a.Done, Err: errUnknown})
		}
	}
	for _, g := range w.sorted {
		g.lose(r)
		g.refuseAll(r)
	}
	return r.Lost, r.Answers
}
