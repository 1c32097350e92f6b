package sim

import (
	"slices"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"

	"github.com/parley-im/parley/cluster/replication/round"
	"github.com/parley-im/parley/proto/peerpb"
)

// maxInbox bounds the messages that wait for a worker; a host's bound is far
// above what a run can fill.
const maxInbox = 500

// worker drives a core as the host does: take the inbox, Begin, tell, commit,
// Finish, tell.
type worker struct {
	n      *node
	number int
	core   *round.Worker

	messages  []arrived
	tasks     []func(*round.Worker)
	proposals []round.Proposal
	reads     []round.Read
	ticked    bool

	awake bool          // will run a round, or is in one
	open  bool          // is in one
	due   time.Duration // of the timer; 0: none
}

type arrived struct {
	from    *node
	message *peerpb.Message
}

// trap is a place in a round where a node will crash.
type trap uint8

const (
	noTrap trap = iota
	beforeCommit
	betweenSteps
	beforeFinish
	amongMessages
	afterMessages
	afterVote // of the kind that is given once in a term
	traps
)

// trapped crashes the node when it has come to its trap.
func (w *worker) trapped(at trap) bool {
	if w.n.trap != at {
		return false
	}
	w.n.crash(true)
	if at == afterVote { // so that it is asked for another one in the same term
		w.n.run.after(w.n.run.between(0, 5*time.Millisecond), w.n.start)
	} else {
		w.n.run.restart(w.n)
	}
	return true
}

// do has f run before the next round.
func (w *worker) do(f func(*round.Worker)) {
	w.tasks = append(w.tasks, f)
	w.wake()
}

func (w *worker) receive(from *node, m *peerpb.Message) {
	if len(w.messages) < maxInbox {
		w.messages = append(w.messages, arrived{from, m})
		w.wake()
	}
}

// wake has a round begin soon unless one is under way, which looks at its end.
func (w *worker) wake() {
	if !w.awake {
		w.awake = true
		w.n.after(w.n.run.between(0, 100*time.Microsecond), w.round)
	}
}

// take hands the inbox to the core.
func (w *worker) take() {
	messages, tasks, proposals, reads, ticked := w.messages, w.tasks, w.proposals, w.reads, w.ticked
	w.messages, w.tasks, w.proposals, w.reads, w.ticked = nil, nil, nil, nil, false
	if ticked && w.n.run.plan.tickFirst {
		w.core.Tick()
	}
	for _, m := range messages {
		w.core.Step(m.from.name, m.message)
	}
	if ticked && !w.n.run.plan.tickFirst {
		w.core.Tick()
	}
	for _, f := range tasks {
		f(w.core)
	}
	for _, p := range proposals {
		w.core.Propose(p)
	}
	for _, r := range reads {
		w.core.Read(r)
	}
}

// round begins one when there is something to do.
func (w *worker) round() {
	n, r := w.n, w.n.run
	w.take()
	now := r.now - n.begun
	at, planned := w.core.Deadline()
	if !w.core.Busy() && (!planned || at > now) {
		w.awake = false
		if planned && (w.due == 0 || at < w.due) {
			w.due = at
			n.after(at-now, func() {
				w.due = 0
				w.wake()
			})
		}
		return
	}
	rd := w.core.Begin(now)
	w.open = true
	for _, l := range rd.Lost {
		n.lost(l)
	}
	w.send(rd.Appends)
	for _, a := range rd.Answers {
		a.Done(a.Outcome, a.Err)
	}
	if w.trapped(beforeCommit) {
		return
	}
	steps, took := rd.Steps(), r.commitTime(rd.Sync())
	r.trace.add(evRound, n.number, uint64(w.number), bit(rd.Sync()), uint64(took.Microseconds()), uint64(len(steps)))
	n.after(took, func() { w.step(rd, steps) })
}

// commitTime draws how long a commit takes.
func (r *run) commitTime(sync bool) time.Duration {
	if !sync {
		return r.between(0, 100*time.Microsecond)
	}
	if !r.healed && r.chance(r.plan.slowSyncs) {
		return r.between(100*time.Millisecond, 2*time.Second)
	}
	return r.around(r.plan.sync)
}

// step does the next step of the commit.
func (w *worker) step(rd *round.Round, steps []func() error) {
	n := w.n
	if err := steps[0](); err != nil {
		w.fail()
		return
	}
	if steps = steps[1:]; len(steps) == 0 {
		w.finish()
		return
	}
	if w.trapped(betweenSteps) {
		return
	}
	n.run.trace.add(evStep, n.number, uint64(w.number), uint64(len(steps)))
	n.after(n.run.commitTime(rd.Sync()), func() { w.step(rd, steps) })
}

// fail is what a host does after a failed commit: all who wait for this worker
// are answered, and the process ends.
func (w *worker) fail() {
	n := w.n
	w.take()
	lost, answers := w.core.Abandon()
	for _, l := range lost {
		n.lost(l)
	}
	for _, a := range answers {
		a.Done(a.Outcome, a.Err)
	}
	n.crash(true)
	n.run.restart(n)
}

// finish tells what a durable batch allows.
func (w *worker) finish() {
	n, r := w.n, w.n.run
	if w.trapped(beforeFinish) {
		return
	}
	after, err := w.core.Finish()
	if err != nil {
		r.violate("n%d: finish: %v", n.number, err)
	}
	half := len(after.Messages) / 2
	w.send(after.Messages[:half])
	if half > 0 && w.trapped(amongMessages) {
		return
	}
	w.send(after.Messages[half:])
	if w.trapped(afterMessages) || givesVote(after.Messages) && w.trapped(afterVote) {
		return
	}
	for _, l := range after.Gained {
		n.gained(l)
	}
	for _, a := range after.Answers {
		a.Done(a.Outcome, a.Err)
	}
	for _, rd := range after.Reads {
		rd.Serve()
	}
	for _, s := range after.Snapshots {
		r.send(w, s)
	}
	w.open = false
	n.after(r.between(0, 50*time.Microsecond), w.round)
}

func givesVote(all []round.Outgoing) bool {
	return slices.ContainsFunc(all, func(o round.Outgoing) bool {
		return pb.MessageType(o.Message.Type) == pb.MsgVoteResp && !o.Message.Reject
	})
}

func (w *worker) send(all []round.Outgoing) {
	for _, o := range all {
		w.n.promise(o.Message)
		w.n.run.net.send(w, o)
	}
}

func (n *node) lost(l round.Leadership) {
	n.run.trace.add(evLost, n.number, uint64(l.Shard), uint64(l.Term))
	if n.leading[l.Shard] != l.Term {
		n.run.violate("n%d loses the leadership of shard %d in term %d, it had that of term %d", n.number, l.Shard, l.Term, n.leading[l.Shard])
	}
	n.leading[l.Shard] = 0
}

// gained checks what a leadership promises: it is the term's only one, and the
// views show everything that was acknowledged.
func (n *node) gained(l round.Leadership) {
	r, s := n.run, n.run.shards[l.Shard]
	r.stats.Gained++
	r.trace.add(evGained, n.number, uint64(l.Shard), uint64(l.Term))
	if other, ok := s.leaders[l.Term]; ok {
		r.violate("shard %d has two leaders in term %d: %s and %s", l.Shard, l.Term, other, n.name)
	}
	s.leaders[l.Term] = n.name
	if n.leading[l.Shard] != 0 {
		r.violate("n%d gains shard %d in term %d without having lost it in term %d", n.number, l.Shard, l.Term, n.leading[l.Shard])
	}
	n.leading[l.Shard] = l.Term
	view, err := n.disk.View(l.Shard)
	if err != nil {
		r.violate("n%d: %v", n.number, err)
	}
	for i, c := range s.conversations {
		acked := uint64(0)
		for term, seq := range s.acked[i] {
			if term < l.Term { // a slow one may hear of its leadership when it has ended
				acked = max(acked, seq)
			}
		}
		if h, _, err := view.Head(c); err != nil || h.Seq < acked {
			r.violate("n%d leads shard %d in term %d and shows seq %d of conversation %d, acknowledged is %d (%v)",
				n.number, l.Shard, l.Term, h.Seq, i, acked, err)
		}
	}
	if err := view.Close(); err != nil {
		r.violate("n%d: %v", n.number, err)
	}
}
