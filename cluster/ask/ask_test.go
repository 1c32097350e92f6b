package ask

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

var ann = chat.UserKey{App: 7, ID: "ann"}

func body(t *testing.T, m actorpb.Message) []byte {
	t.Helper()
	data, err := m.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestARequestGoesWhereItsMethodSays(t *testing.T) {
	peer := func(id string) *wirepb.ConversationRef {
		return &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: id}
	}
	send := method.ByPath("SendMessage")
	for name, c := range map[string]struct {
		m    *method.Method
		body []byte
		want directory.Identity
		code chat.Code
	}{
		"to a conversation": {send, body(t, &wirepb.SendMessage{Conversation: peer("bob"), Content: []byte("x")}), directory.ConversationOf(chat.PeerConversation(7, "ann", "bob")), 0},
		"to the user":       {method.ByPath("ListConversations"), nil, directory.SessionOf(ann), 0},
		"to nobody":         {send, nil, directory.Identity{}, chat.CodeUnsupported},
		"to a group": {send, body(t, &wirepb.SendMessage{Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_GROUP, Id: "g"}}),
			directory.Identity{}, chat.CodeUnsupported},
		"to oneself":     {send, body(t, &wirepb.SendMessage{Conversation: peer("ann")}), directory.Identity{}, chat.CodeInvalidParam},
		"to no user ID":  {send, body(t, &wirepb.SendMessage{Conversation: peer("a b")}), directory.Identity{}, chat.CodeInvalidParam},
		"to a node":      {method.ByPath("Ping"), nil, directory.Identity{}, chat.CodeUnsupported},
		"after the rest": {send, append(body(t, &wirepb.SendMessage{Content: []byte("x")}), body(t, &wirepb.SendMessage{Conversation: peer("bob")})...), directory.ConversationOf(chat.PeerConversation(7, "ann", "bob")), 0},
	} {
		got, err := Target(ann, c.m, c.body)
		if chat.CodeOf(err) != c.code || err == nil && got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// probe handles two methods: one at once, one later.
type probe struct{ kept *Call }

func (*probe) query(c *Call, q *wirepb.QueryMessages) (*wirepb.QueryMessagesReply, error) {
	if q.Count == 0 {
		return nil, chat.Errorf(chat.CodeInvalidParam, c.op, "count is 0")
	}
	return &wirepb.QueryMessagesReply{HeadSeq: uint64(q.Count)}, nil
}

func (p *probe) send(c *Call, _ *wirepb.SendMessage) (*wirepb.SendMessageReply, error) {
	p.kept = c
	return nil, nil
}

func TestHandlersAnswerNowOrLaterAndEveryCallIsAnswered(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	defer system.Shutdown()
	answers := make(chan *actorpb.Answer, 10)
	asker := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*actorpb.Answer); ok {
			answers <- m
		}
	}))
	p, handlers := &probe{}, List(On((*probe).query), On((*probe).send))
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actorpb.Ask:
			handlers.Serve(p, ctx, m)
		case string:
			p.kept.Answer(&wirepb.SendMessageReply{Seq: 5})
		}
	}))
	ask := func(request uint32, path string, q actorpb.Message) *actorpb.Answer {
		t.Helper()
		m := &actorpb.Ask{Request: request, Method: 499, AppId: 7, UserId: "ann", Body: body(t, q)}
		if path != "" {
			m.Method = method.ByPath(path).Number
		}
		system.Root.RequestWithCustomSender(pid, m, asker)
		if path == "SendMessage" {
			system.Root.Send(pid, "now")
		}
		answer := <-answers
		if answer.Request != request {
			t.Errorf("the answer to %d is to %d", request, answer.Request)
		}
		return answer
	}
	if a := ask(1, "QueryMessages", &wirepb.QueryMessages{Count: 9}); a.Reply.(*wirepb.QueryMessagesReply).HeadSeq != 9 {
		t.Errorf("at once: %v", a)
	}
	if a := ask(2, "QueryMessages", &wirepb.QueryMessages{}); chat.Code(a.Error.GetCode()) != chat.CodeInvalidParam || !strings.Contains(a.Error.Message, "query messages") {
		t.Errorf("refused: %v", a)
	}
	if a := ask(3, "SendMessage", &wirepb.SendMessage{}); a.Reply.(*wirepb.SendMessageReply).Seq != 5 || p.kept.User() != ann {
		t.Errorf("later: %v", a)
	}
	if a := ask(4, "", &wirepb.SendMessage{}); chat.Code(a.Error.GetCode()) != chat.CodeUnsupported {
		t.Errorf("a method of a newer version: %v", a)
	}
	if a := ask(5, "ListConversations", &wirepb.ListConversations{}); chat.Code(a.Error.GetCode()) != chat.CodeUnsupported {
		t.Errorf("a method that another actor has: %v", a)
	}
}

func TestAHandlerOfAnotherReplyIsRefusedAtStart(t *testing.T) {
	defer func() {
		if r, _ := recover().(string); !strings.Contains(r, "the reply to SendMessage") {
			t.Errorf("got %q", r)
		}
	}()
	On(func(*probe, *Call, *wirepb.SendMessage) (*wirepb.QueryMessagesReply, error) { return nil, nil })
}
