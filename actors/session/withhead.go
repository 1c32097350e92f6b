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

// headFirst is a request that needs a conversation's head.
type headFirst struct {
	call *ask.Call
	key  chat.ConversationKey
	then func(actor.Context, chat.ConversationKey, chat.Head)
}

// withHead calls then with the head, without hash and times, of a conversation that
// a request names, or refuses the call when nothing was ever said there.
func (s *session) withHead(call *ask.Call, ref *wirepb.ConversationRef, then func(actor.Context, chat.ConversationKey, chat.Head)) error {
	key, err := ask.Conversation(s.user, call.Op(), ref.GetKind(), ref.GetId())
	if err != nil {
		return err
	}
	look := &actorpb.Look{AppId: call.AppId, Conversations: []*logpb.ConversationKey{logpb.FromKey(key)}, HeadsOnly: true}
	return s.ask(call.Context, storage.ConversationShard(s.o.Replicator.Shards(), key), &headFirst{call, key, then}, look)
}

// answer implements question.
func (h *headFirst) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	if len(m.Heads) != 1 || m.Heads[0].Head == nil {
		h.fail(s, ctx, chat.Errorf(chat.CodeNoConversation, h.call.Op(), "there is no such conversation in your list"))
		return
	}
	h.then(ctx, h.key, m.Heads[0].Head.Chat())
}

func (h *headFirst) fail(_ *session, _ actor.Context, err error) { h.call.Refuse(err) }

func (h *headFirst) stop(*session) { h.call.Refuse(errMoved) }
