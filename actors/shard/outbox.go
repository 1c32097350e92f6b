package shard

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// maxEffects is how many effects travel at once to one destination.
//
// Effects that a destination has applied are deleted together, for all
// destinations with one proposal: keptFor later, or as soon as there are maxKept
// for one destination. A new leader delivers what was kept once more, and the
// destinations skip it.
const (
	maxEffects = 256
	maxKept    = maxEffects / 2
	keptFor    = 200 * time.Millisecond
)

// stream is the outbox for one destination. At most one batch is under way;
// what is queued meanwhile goes with the next.
//
// Invariants: everything up to through has been applied by the destination, and
// up to gone deleted, gone <= through; waiters want a number above through.
type stream struct {
	busy    bool
	gone    uint64
	through uint64
	sending uint64 // last number of the batch under way
	full    bool   // the last batch may not be all that waits
	wanted  uint64 // highest number anybody asked for
	waiters []waiter
}

// more says that something may wait that is not under way.
func (st *stream) more() bool { return st.full || st.wanted > st.through }

type waiter struct {
	through uint64
	request uint32
	pid     *actor.PID
}

type effectsRead struct {
	destination storage.ShardID
	first       uint64
	effects     []chat.Effect
	err         error
}

// trim asks for what was applied to be deleted.
type trim struct{}

// trimmed says how far outboxes were deleted, or why not.
type trimmed struct {
	through map[storage.ShardID]uint64
	err     error
}

type undelivered struct{ destinations []storage.ShardID }

func (s *shard) stream(d storage.ShardID) *stream {
	st := s.streams[d]
	if st == nil {
		st = &stream{}
		s.streams[d] = st
	}
	return st
}

// deliverThrough promises to answer once the destination has applied the outbox up to
// a number.
func (s *shard) deliverThrough(ctx actor.Context, m *actorpb.DeliverThrough) {
	d := storage.ShardID(m.Destination)
	st := s.stream(d)
	if m.Through <= st.through {
		ctx.Send(ctx.Sender(), &actorpb.DeliveredThrough{Request: m.Request})
		return
	}
	st.wanted = max(st.wanted, m.Through)
	st.waiters = append(st.waiters, waiter{m.Through, m.Request, ctx.Sender()})
	s.pump(ctx, d)
}

// pump reads the next effects for a destination unless a batch is under way. What
// is kept of those before is read with them, so it must not be much.
func (s *shard) pump(ctx actor.Context, d storage.ShardID) {
	st := s.stream(d)
	if st.busy {
		return
	}
	if st.through-st.gone >= maxKept {
		s.trim(ctx) // and then on
		return
	}
	st.busy = true
	root, self := s.o.System.Root, ctx.Self()
	read := effectsRead{destination: d}
	s.o.Replicator.Read(s.act.Shard, s.asker(), func(v storage.View) (err error) {
		read.first, read.effects, err = v.Effects(d, maxEffects)
		return err
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
}

// deliver sends the destination what was read, but for what it has applied.
func (s *shard) deliver(ctx actor.Context, m effectsRead) {
	st := s.stream(m.destination)
	if m.err != nil {
		s.fail(ctx, m.destination, m.err)
		return
	}
	if len(m.effects) == 0 {
		// The rows are gone because their destination has applied them.
		st.busy, st.full, st.gone = false, false, max(st.gone, st.wanted)
		s.applied(ctx, st, st.gone)
		return
	}
	st.full = len(m.effects) == maxEffects
	st.gone = max(st.gone, m.first-1)
	s.applied(ctx, st, st.gone)
	if kept := st.through + 1 - m.first; kept < uint64(len(m.effects)) {
		m.first, m.effects = m.first+kept, m.effects[kept:]
	} else { // all of it was delivered and is kept
		st.busy = false
		return
	}
	st.sending = m.first + uint64(len(m.effects)) - 1
	deliver := chat.Deliver{Source: chat.EffectSource{Shard: uint16(s.act.Shard), Epoch: restoreEpoch}, First: m.first, Effects: m.effects}
	take := &actorpb.TakeEffects{Request: s.taking.Add(m.destination), Deliver: logpb.FromCommand(deliver).GetDeliver()}
	if err := s.act.Directory.Send(directory.ShardOf(m.destination), take, ctx.Self()); err != nil {
		s.taking.Take(take.Request)
		s.fail(ctx, m.destination, err)
	}
}

// noteTaken goes on with what was queued since the destination was sent what
// it has applied now.
func (s *shard) noteTaken(ctx actor.Context, request uint32) {
	d, ok := s.taking.Take(request)
	if !ok {
		return
	}
	st := s.stream(d)
	s.applied(ctx, st, st.sending)
	st.busy = false
	s.trimLater(ctx)
	if st.more() {
		s.pump(ctx, d)
	}
}

// trimLater has the actor trim the outboxes after a while.
func (s *shard) trimLater(ctx actor.Context) {
	if s.trimDue {
		return
	}
	s.trimDue = true
	root, self := s.o.System.Root, ctx.Self()
	time.AfterFunc(keptFor, func() { root.Send(self, trim{}) })
}

// trim deletes what destinations have applied.
func (s *shard) trim(ctx actor.Context) {
	if s.trimming { // whose end looks for what came since
		return
	}
	through := make(map[storage.ShardID]uint64)
	var drop []chat.CommandBody
	for d, st := range s.streams {
		if st.through > st.gone {
			through[d] = st.through
			drop = append(drop, chat.Delivered{Destination: uint16(d), Through: st.through})
		}
	}
	if len(drop) == 0 {
		return
	}
	s.trimming = true
	root, self := s.o.System.Root, ctx.Self()
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, drop, func(_ storage.Outcome, err error) {
		root.Send(self, trimmed{through, err})
	})
}

// noteTrimmed goes on with what waited for it. Rows that could not be deleted are
// kept a while longer.
func (s *shard) noteTrimmed(ctx actor.Context, m trimmed) {
	s.trimming = false
	if m.err != nil {
		s.o.Log.Warn("outbox not trimmed", "shard", s.act.Shard, "error", m.err)
		s.trimLater(ctx)
		return
	}
	for d, n := range m.through {
		st := s.stream(d)
		st.gone = max(st.gone, n)
	}
	for d, st := range s.streams {
		if st.through > st.gone {
			s.trimLater(ctx)
		}
		if st.more() {
			s.pump(ctx, d)
		}
	}
}

// applied answers those who waited for a destination to come as far.
func (s *shard) applied(ctx actor.Context, st *stream, through uint64) {
	st.through = max(st.through, through)
	rest := st.waiters[:0]
	for _, w := range st.waiters {
		if w.through > st.through {
			rest = append(rest, w)
			continue
		}
		ctx.Send(w.pid, &actorpb.DeliveredThrough{Request: w.request})
	}
	st.waiters = rest
}

// retry is a destination's refusal.
func (s *shard) retry(ctx actor.Context, m *actorpb.Answer) {
	if d, ok := s.taking.Take(m.Request); ok {
		e := m.Error
		s.fail(ctx, d, chat.Errorf(chat.Code(e.GetCode()), "deliver", "%s", e.GetMessage()))
	}
}

// fail tries again later. Nothing is lost: the effects stay in the outbox, and
// the destination skips those that it has applied.
func (s *shard) fail(ctx actor.Context, d storage.ShardID, err error) {
	if !chat.CodeOf(err).Retryable() {
		s.o.Log.Error("outbox not delivered", "shard", s.act.Shard, "destination", d, "error", err)
	}
	s.stream(d).busy = false
	s.retryLater(ctx, d)
}

// takeEffects applies another shard's effects to this one.
func (s *shard) takeEffects(ctx actor.Context, m *actorpb.TakeEffects) {
	root, to := s.o.System.Root, ctx.Sender()
	body, err := (&logpb.Command{Body: &logpb.Command_Deliver{Deliver: m.Deliver}}).Chat()
	if err != nil {
		ctx.Send(to, actorpb.Refuse(m.Request, "shard", err))
		return
	}
	effects := body.(chat.Deliver).Effects
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{body}, func(out storage.Outcome, err error) {
		if err == nil && out.Results[0].Err != nil {
			err = out.Results[0].Err
		}
		if err != nil {
			root.Send(to, actorpb.Refuse(m.Request, "shard", err))
			return
		}
		for _, e := range effects {
			if opened, ok := e.Body.(chat.ConversationOpened); ok {
				s.act.Directory.Opened(e.To.User, opened.Conversation)
			}
		}
		root.Send(to, &actorpb.EffectsTaken{Request: m.Request})
	})
}

// recoverPause is how long a recovery that could not read waits for the next try.
const recoverPause = time.Second

// recover looks for what an earlier leadership left in the outbox.
func (s *shard) recover(ctx actor.Context) {
	root, self := s.o.System.Root, ctx.Self()
	var found undelivered
	s.o.Replicator.Read(s.act.Shard, s.asker(), func(v storage.View) (err error) {
		found.destinations, err = v.Undelivered()
		return err
	}, func(err error) {
		if err != nil { // while the disk is stalled reads are refused, and the leadership goes on
			s.o.Log.Warn("outbox not read", "shard", s.act.Shard, "error", err)
			time.AfterFunc(recoverPause, func() { root.Send(self, Recover{}) })
			return
		}
		root.Send(self, found)
	})
}
