package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// writing is a command of the user's own shard under way, and what answers its
// call.
type writing struct {
	call *ask.Call
	then func(actor.Context, chat.Result)
}

// written brings its outcome.
type written struct {
	number uint32
	result chat.Result
	err    error
}

// write proposes a command for the user's shard, and calls then with its result or
// refuses the call.
func (s *session) write(call *ask.Call, command chat.CommandBody, then func(actor.Context, chat.Result)) {
	root, self, outcome := s.o.System.Root, s.self, written{number: s.asked.Add(&writing{call, then})}
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{command}, func(out storage.Outcome, err error) {
		if outcome.err = err; err == nil {
			outcome.result = out.Results[0]
		}
		root.Send(self, outcome)
	})
}

func (s *session) finishWrite(ctx actor.Context, m written) {
	q, _ := s.asked.Take(m.number)
	w, ok := q.(*writing)
	switch {
	case !ok:
	case m.err != nil:
		if chat.CodeOf(m.err) == chat.CodeTimeout { // it may be written still
			s.dropTable()
		}
		w.call.Refuse(m.err)
		s.nextPage(ctx)
	case m.result.Err != nil:
		w.call.Refuse(m.result.Err)
	default:
		w.then(ctx, m.result)
	}
}

// answer implements question; nobody looks for a command.
func (*writing) answer(*session, actor.Context, *actorpb.Seen) {}

func (w *writing) fail(_ *session, _ actor.Context, err error) { w.call.Refuse(err) }

// stop implements question: the command may be written or not.
func (w *writing) stop(*session) { w.call.Refuse(errUnknown) }

// pushToOthers hands a push to the user's devices, but for the one that asked.
func (s *session) pushToOthers(call *ask.Call, push *wirepb.ServerFrame) {
	frame, err := push.MarshalVT()
	if err != nil {
		panic("session: a frame of our own does not encode: " + err.Error())
	}
	s.act.Push(&actorpb.Deliver{Frame: frame, Origin: call.Origin})
}
