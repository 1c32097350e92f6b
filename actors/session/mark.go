package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// marking is a request to mark a conversation as read: first its head is
// looked at, then the mark is written.
type marking struct {
	from *actor.PID
	ask  *actorpb.MarkRead
	key  chat.ConversationKey
}

type marked struct {
	number uint32
	mark   chat.Mark
	err    error
}

func (s *session) markRead(ctx actor.Context, m *actorpb.MarkRead) {
	ref := m.GetClear().GetConversation()
	mk := marking{from: ctx.Sender(), ask: m, key: chat.PeerConversation(s.user.App, s.user.ID, ref.GetId())}
	s.requests++
	if s.marking == nil {
		s.marking = make(map[uint32]marking)
	}
	s.marking[s.requests] = mk
	look := &actorpb.Look{Request: s.requests, AppId: m.AppId, Conversations: []*logpb.ConversationKey{logpb.FromKey(mk.key)}}
	shard := storage.ConversationShard(s.o.Replicator.Shards(), mk.key)
	if err := s.act.Directory.Send(directory.ShardOf(shard), look, ctx.Self()); err != nil {
		delete(s.marking, s.requests)
		refuse(s.o.System.Root, mk.from, m.Request, "clear unread", err)
	}
}

// headSeen writes the head as the mark.
func (s *session) headSeen(ctx actor.Context, mk marking, m *actorpb.Seen) {
	if len(m.Heads) != 1 || m.Heads[0].Head == nil {
		err := chat.Errorf(chat.CodeNoConversation, "clear unread", "there is no such conversation in your list")
		refuse(s.o.System.Root, mk.from, mk.ask.Request, "clear unread", err)
		return
	}
	head := m.Heads[0].Head.Chat()
	command := chat.MarkRead{User: s.user, Conversation: mk.key, Mark: head.Mark(mk.key, s.user.ID)}
	root, self := s.o.System.Root, ctx.Self()
	s.requests++
	number := s.requests
	s.marking[number] = mk
	s.o.Replicator.Propose(s.act.Shard, s.act.Term, []chat.CommandBody{command}, func(out storage.Outcome, err error) {
		answer := marked{number: number, err: err}
		if err == nil {
			answer.mark = out.Results[0].Mark
		}
		root.Send(self, answer)
	})
}

// marked answers, and tells the user's other devices.
func (s *session) marked(ctx actor.Context, m marked) {
	mk := s.marking[m.number]
	delete(s.marking, m.number)
	ask := mk.ask
	if m.err != nil {
		refuse(s.o.System.Root, mk.from, ask.Request, "clear unread", m.err)
		return
	}
	cleared := &wirepb.UnreadCleared{Conversation: ask.Clear.Conversation, ReadSeq: m.mark.Seq}
	ctx.Send(mk.from, &actorpb.MarkedRead{Request: ask.Request, Cleared: cleared})
	frame, err := (&wirepb.ServerFrame{Body: &wirepb.ServerFrame_UnreadChanged{UnreadChanged: cleared}}).MarshalVT()
	if err != nil {
		panic("session: a frame of our own does not encode: " + err.Error())
	}
	s.deliver(ctx, &actorpb.Deliver{Frame: frame, Origin: ask.Origin})
}
