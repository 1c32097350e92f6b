package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// marking is a request to mark a conversation as read: first its head is
// looked at, then the mark is written.
type marking struct {
	call    *ask.Call
	ref     *wirepb.ConversationRef
	key     chat.ConversationKey
	written bool // the mark was proposed
}

// marked brings the outcome of the proposal.
type marked struct {
	number uint32
	mark   chat.Mark
	err    error
}

func (s *session) clearUnread(call *ask.Call, q *wirepb.ClearUnread) (*wirepb.ClearUnreadReply, error) {
	key, err := ask.Conversation(s.user, "clear unread", q.Conversation.GetKind(), q.Conversation.GetId())
	if err != nil {
		return nil, err
	}
	mk := &marking{call: call, ref: q.Conversation, key: key}
	look := &actorpb.Look{AppId: call.AppId, Conversations: []*logpb.ConversationKey{logpb.FromKey(mk.key)}, HeadsOnly: true}
	return nil, s.ask(call.Context, storage.ConversationShard(s.o.Replicator.Shards(), key), mk, look)
}

// answer implements question: the head becomes the mark.
func (mk *marking) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	if len(m.Heads) != 1 || m.Heads[0].Head == nil {
		mk.fail(s, ctx, chat.Errorf(chat.CodeNoConversation, "clear unread", "there is no such conversation in your list"))
		return
	}
	head := m.Heads[0].Head.Chat()
	command := chat.MarkRead{User: s.user, Conversation: mk.key, Mark: head.Mark(mk.key, s.user.ID)}
	mk.written = true
	root, self, answer := s.o.System.Root, ctx.Self(), marked{number: s.asked.Add(mk)}
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{command}, func(out storage.Outcome, err error) {
		answer.err = err
		if err == nil {
			answer.mark = out.Results[0].Mark
		}
		root.Send(self, answer)
	})
}

func (mk *marking) fail(_ *session, _ actor.Context, err error) {
	mk.call.Refuse(err)
}

func (mk *marking) stop(s *session) {
	err := errMoved
	if mk.written {
		err = errUnknown
	}
	mk.fail(s, nil, err)
}

// answerMark answers, and notifies the user's other devices.
func (s *session) answerMark(ctx actor.Context, m marked) {
	q, _ := s.asked.Take(m.number)
	mk, ok := q.(*marking)
	if !ok {
		return
	}
	if m.err != nil {
		if chat.CodeOf(m.err) == chat.CodeTimeout { // it may be written still
			s.dropTable()
		}
		mk.fail(s, ctx, m.err)
		s.nextPage(ctx)
		return
	}
	s.markInTable(mk.key, m.mark)
	mk.call.Answer(&wirepb.ClearUnreadReply{Conversation: mk.ref, ReadSeq: m.mark.Seq})
	changed := &wirepb.UnreadChanged{Conversation: mk.ref, ReadSeq: m.mark.Seq}
	frame, err := (&wirepb.ServerFrame{Body: &wirepb.ServerFrame_UnreadChanged{UnreadChanged: changed}}).MarshalVT()
	if err != nil {
		panic("session: a frame of our own does not encode: " + err.Error())
	}
	s.act.Push(&actorpb.Deliver{Frame: frame, Origin: mk.call.Origin})
}
