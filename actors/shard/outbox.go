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
const maxEffects = 256

// stream is the outbox for one destination. At most one batch is under way;
// what is queued meanwhile goes with the next.
//
// Invariants: everything up to through has been applied by the destination;
// waiters want a number above it.
type stream struct {
	busy    bool
	through uint64
	sending uint64 // last number of the batch under way
	full    bool   // the batch under way may not be all that waits
	wanted  uint64 // highest number anybody asked for
	waiters []waiter
}

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

// trimmed tells that the outbox for a destination was let go of, or why not.
type trimmed struct {
	destination storage.ShardID
	more        bool
	err         error
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

// handOn promises to answer once the destination has applied the outbox up to
// a number.
func (s *shard) handOn(ctx actor.Context, m *actorpb.HandOn) {
	d := storage.ShardID(m.Destination)
	st := s.stream(d)
	if m.Through <= st.through {
		ctx.Send(ctx.Sender(), &actorpb.Handed{Request: m.Request})
		return
	}
	st.wanted = max(st.wanted, m.Through)
	st.waiters = append(st.waiters, waiter{m.Through, m.Request, ctx.Sender()})
	s.pump(ctx, d)
}

// pump reads the next effects for a destination unless a batch is under way.
func (s *shard) pump(ctx actor.Context, d storage.ShardID) {
	st := s.stream(d)
	if st.busy {
		return
	}
	st.busy = true
	root, self := s.o.System.Root, ctx.Self()
	read := effectsRead{destination: d}
	s.o.Replicator.Read(s.act.Shard, func(v storage.View) (err error) {
		read.first, read.effects, err = v.Effects(d, maxEffects)
		return err
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
}

func (s *shard) effectsRead(ctx actor.Context, m effectsRead) {
	st := s.stream(m.destination)
	if m.err != nil {
		s.fail(ctx, m.destination, m.err)
		return
	}
	if len(m.effects) == 0 {
		// The rows are gone because their destination has applied them.
		st.busy = false
		s.applied(ctx, st, st.wanted)
		return
	}
	st.sending, st.full = m.first+uint64(len(m.effects))-1, len(m.effects) == maxEffects
	s.requests++
	s.taking[s.requests] = m.destination
	deliver := chat.Deliver{Source: uint16(s.act.Shard), Epoch: restoreEpoch, First: m.first, Effects: m.effects}
	take := &actorpb.TakeEffects{Request: s.requests, Deliver: logpb.FromCommand(deliver).GetDeliver()}
	if err := s.act.Directory.Send(directory.ShardOf(m.destination), take, ctx.Self()); err != nil {
		delete(s.taking, s.requests)
		s.fail(ctx, m.destination, err)
	}
}

// effectsTaken lets go of what the destination has applied and goes on with
// what was queued since.
func (s *shard) effectsTaken(ctx actor.Context, request uint32) {
	d, ok := s.taking[request]
	if !ok {
		return
	}
	delete(s.taking, request)
	st := s.stream(d)
	s.applied(ctx, st, st.sending)
	drop := []chat.CommandBody{chat.Delivered{Destination: uint16(d), Through: st.sending}}
	root, self := s.o.System.Root, ctx.Self()
	more := st.full || st.wanted > st.through
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, drop, func(_ storage.Outcome, err error) {
		root.Send(self, trimmed{destination: d, more: more, err: err})
	})
	st.busy = false
}

// trimmed goes on with what waits. Rows that could not be let go of are
// delivered again and passed over.
func (s *shard) trimmed(ctx actor.Context, m trimmed) {
	switch {
	case m.err != nil:
		s.o.Log.Warn("outbox not trimmed", "shard", s.act.Shard, "error", m.err)
		s.retryLater(ctx, m.destination)
	case m.more:
		s.pump(ctx, m.destination)
	}
}

func (s *shard) applied(ctx actor.Context, st *stream, through uint64) {
	st.through = max(st.through, through)
	rest := st.waiters[:0]
	for _, w := range st.waiters {
		if w.through > st.through {
			rest = append(rest, w)
			continue
		}
		ctx.Send(w.pid, &actorpb.Handed{Request: w.request})
	}
	st.waiters = rest
}

// notTaken is a destination's refusal.
func (s *shard) notTaken(ctx actor.Context, m *actorpb.Refused) {
	if d, ok := s.taking[m.Request]; ok {
		delete(s.taking, m.Request)
		e := m.GetError()
		s.fail(ctx, d, chat.Errorf(chat.Code(e.GetCode()), "deliver", "%s", e.GetMessage()))
	}
}

// fail tries again later. Nothing is lost: the effects stay in the outbox, and
// the destination passes over those that it has applied.
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
		ctx.Send(to, refused(m.Request, err))
		return
	}
	effects := body.(chat.Deliver).Effects
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{body}, func(out storage.Outcome, err error) {
		if err == nil && out.Results[0].Err != nil {
			err = out.Results[0].Err
		}
		if err != nil {
			root.Send(to, refused(m.Request, err))
			return
		}
		for _, e := range effects {
			s.act.Directory.Opened(e.ConversationOpened.User, e.ConversationOpened.Conversation)
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
	s.o.Replicator.Read(s.act.Shard, func(v storage.View) (err error) {
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
