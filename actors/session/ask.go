package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// question is what awaits the answer of a shard's actor, or the outcome of a
// proposal or read of the session's own.
type question interface {
	answer(*session, actor.Context, *actorpb.Seen)
	fail(*session, actor.Context, error)
	// stop answers whoever waits, as the session ends.
	stop(*session)
}

// ask has a shard's actor look; an error says that it was not asked.
func (s *session) ask(ctx actor.Context, shard storage.ShardID, q question, look *actorpb.Look) error {
	look.Request = s.asked.Add(q)
	err := s.act.Directory.Send(directory.ShardOf(shard), look, ctx.Self())
	if err != nil {
		s.asked.Take(look.Request)
	}
	return err
}

// take hands a shard's answer to the question.
func (s *session) take(ctx actor.Context, m *actorpb.Seen) {
	if q, ok := s.asked.Take(m.Request); ok {
		q.answer(s, ctx, m)
	}
}

// fail hands a shard's refusal to the question.
func (s *session) fail(ctx actor.Context, m *actorpb.Answer) {
	if q, ok := s.asked.Take(m.Request); ok {
		q.fail(s, ctx, chat.Errorf(chat.Code(m.Error.GetCode()), "read", "%s", m.Error.GetMessage()))
	}
}

// asker is the session as one who reads.
func (s *session) asker(class storage.Class) storage.Asker {
	return storage.Asker{Class: class, ID: s.self.Id}
}

var (
	errMoved   = chat.Errorf(chat.CodeUnavailable, "session", "the user's session has moved; try again")
	errUnknown = chat.Errorf(chat.CodeTimeout, "session", "the user's session has moved; whether it was done is not known")
	errMisread = chat.Errorf(chat.CodeInternal, "read", "a shard has answered something else than was asked")
)
