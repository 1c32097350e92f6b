package session

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// write proposes a command for the user's shard, and gives then its result, or
// refuses the call. then runs on a goroutine of the replicator's: it must not touch
// the session's fields.
func (s *session) write(call *ask.Call, command chat.CommandBody, then func(chat.Result)) {
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{command}, func(out storage.Outcome, err error) {
		if err == nil && out.Results[0].Err != nil {
			err = out.Results[0].Err
		}
		if err != nil {
			call.Refuse(err)
			return
		}
		then(out.Results[0])
	})
}

// pushToOthers hands a push to the user's devices, but for the one that asked.
func (s *session) pushToOthers(call *ask.Call, push *wirepb.ServerFrame) {
	frame, err := push.MarshalVT()
	if err != nil {
		panic("session: a frame of our own does not encode: " + err.Error())
	}
	s.act.Push(&actorpb.Deliver{Frame: frame, Origin: call.Origin})
}
