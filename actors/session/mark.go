package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/wirepb"
)

// clearUnread makes the conversation's head the user's mark.
func (s *session) clearUnread(call *ask.Call, q *wirepb.ClearUnread) (*wirepb.ClearUnreadReply, error) {
	return nil, s.withHead(call, q.Conversation, func(ctx actor.Context, key chat.ConversationKey, head chat.Head) {
		command := chat.MarkRead{User: s.user, Conversation: key, Mark: head.Mark(key, s.user.ID)}
		s.write(call, command, func(_ actor.Context, r chat.Result) {
			s.markInTable(key, r.Mark)
			call.Answer(&wirepb.ClearUnreadReply{Conversation: q.Conversation, ReadSeq: r.Mark.Seq})
			s.pushToOthers(call, &wirepb.ServerFrame{Body: &wirepb.ServerFrame_UnreadChanged{
				UnreadChanged: &wirepb.UnreadChanged{Conversation: q.Conversation, ReadSeq: r.Mark.Seq}}})
		})
	})
}
