package conversation_test

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// proposed is a proposal; the test says what comes of it.
type proposed struct {
	bodies []string
	done   func(storage.Outcome, error)
}

// log is a replicator that leads one shard and leaves proposals to the test.
type log struct {
	storage.Replicator
	proposals chan proposed
}

func (log) Shards() int                                  { return 1 }
func (log) Leader(storage.ShardID) (storage.Term, error) { return 1, nil }

func (l log) Propose(_ storage.ShardID, _ storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	p := proposed{done: done}
	for _, c := range commands {
		p.bodies = append(p.bodies, said(c.(*chat.Send).Content))
	}
	l.proposals <- p
}

// said is the body of a content.
func said(content []byte) string {
	m, err := wirepb.DecodeContent(chat.TypeText, content)
	if err != nil {
		panic(err)
	}
	return string(m.Body)
}

// outbox is the shard's actor: everybody is registered, and the test says when
// effects were applied.
type outbox chan deliverThrough

type deliverThrough struct {
	through uint64
	answer  func(any)
}

func (o outbox) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Look:
		ctx.Send(ctx.Sender(), &actorpb.Seen{Request: m.Request, Users: []*actorpb.UserSeen{{User: &logpb.User{Name: "x"}}}})
	case *actorpb.DeliverThrough:
		from, request, root := ctx.Sender(), m.Request, ctx.ActorSystem().Root
		o <- deliverThrough{m.Through, func(answer any) {
			switch a := answer.(type) {
			case *actorpb.DeliveredThrough:
				a.Request = request
			case *actorpb.Answer:
				a.Request = request
			}
			root.Send(from, answer)
		}}
	}
}

// client is a connection that tells what it gets.
type client chan any

func (c client) SendUserMessage(_ *actor.PID, m any) { c <- actor.UnwrapEnvelopeMessage(m) }
func (client) SendSystemMessage(*actor.PID, any)     {}
func (client) Stop(*actor.PID)                       {}
func (c client) next(t *testing.T) any               { t.Helper(); return next(t, c) }
func (c client) acked(t *testing.T, r uint32) *wirepb.SendMessageReply {
	t.Helper()
	m, ok := c.next(t).(*actorpb.Answer)
	if !ok || m.Request != r || m.Error != nil {
		t.Fatalf("got %v, want the ack of request %d", m, r)
	}
	return m.Reply.(*wirepb.SendMessageReply)
}

func (c client) refused(t *testing.T, r uint32) chat.Code {
	t.Helper()
	got := c.next(t)
	m, ok := got.(*actorpb.Answer)
	if !ok || m.Request != r || m.Error == nil {
		t.Fatalf("got %v, want a refusal of request %d", got, r)
	}
	return chat.Code(m.Error.Code)
}

func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// world is one conversation, of alice and bob.
type world struct {
	*testing.T
	directory *directory.Directory
	log       log
	outbox    outbox
	alice     client
	pid       *actor.PID
	panics    atomic.Bool // the next send panics its handler
}

type noPeers struct{ directory.Peers }

func newWorld(t *testing.T) *world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	w := &world{T: t, log: log{proposals: make(chan proposed, 10)}, outbox: make(outbox, 10), alice: make(client, 1000)}
	w.directory = directory.New(directory.Options{System: system, Node: "n", Replicator: w.log, Peers: noPeers{}, Idle: time.Minute, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.directory.Register(directory.Shard, func(directory.Activation) actor.Actor { return w.outbox })
	w.directory.Register(directory.Conversation, conversation.New(conversation.Options{
		System: system, Replicator: w.log, Now: time.Now, Salt: func() [16]byte { return [16]byte{} },
		Limits: func(chat.AppID) chat.Limits {
			if w.panics.Swap(false) {
				panic("a bug")
			}
			return chat.DefaultLimits()
		},
	}))
	w.directory.Start()
	w.pid, _ = system.ProcessRegistry.Add(w.alice, "alice")
	t.Cleanup(func() {
		if err := w.directory.Close(context.Background()); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return w
}

func (w *world) send(request uint32, body string) {
	w.Helper()
	data, err := (&wirepb.SendMessage{
		ClientMessageId: make([]byte, 16), IssuedAtMs: 1, Type: uint32(chat.TypeText), Content: wirepb.EncodeContent(&chat.Message{Body: []byte(body)}),
	}).MarshalVT()
	if err != nil {
		w.Fatal(err)
	}
	m := &actorpb.Ask{Request: request, Method: method.ByPath("SendMessage").Number, AppId: 1, UserId: "alice", Origin: "alice", Body: data}
	if err := w.directory.Send(directory.ConversationOf(chat.PeerConversation(1, "alice", "bob")), m, w.pid); err != nil {
		w.Fatal(err)
	}
}

// stored says that one send was appended, or had been when duplicate.
func (p proposed) stored(seq uint64, duplicate bool, effects ...chat.EffectRef) {
	out := storage.Outcome{Results: []chat.Result{{Sent: chat.Sent{MessageID: "id", Seq: seq, Duplicate: duplicate}, Effects: effects}}}
	if !duplicate {
		out.Events = []chat.Event{chat.Appended{Entry: chat.Entry{Seq: seq}}}
	}
	p.done(out, nil)
}

func (c client) silent(t *testing.T, why string) {
	t.Helper()
	select {
	case m := <-c:
		t.Fatalf("%s, and the sender got %v", why, m)
	default:
	}
}

// TestAfterAPanicNoOutcomeIsTakenForAnother has a handler panic while a proposal
// is under way: its outcome must not answer the proposal after it.
func TestAfterAPanicNoOutcomeIsTakenForAnother(t *testing.T) {
	w := newWorld(t)
	w.send(1, "before")
	before := next(t, w.log.proposals)
	w.panics.Store(true)
	w.send(2, "panics")
	if code := w.alice.refused(t, 2); code != chat.CodeInternal {
		t.Errorf("the send whose handler panicked is refused with %d", code)
	}
	if code := w.alice.refused(t, 1); code != chat.CodeTimeout {
		t.Errorf("the proposed send is refused with %d, want that its outcome is unknown", code)
	}
	w.send(3, "after")
	after := next(t, w.log.proposals)
	before.stored(41, false)
	after.done(storage.Outcome{}, chat.Errorf(chat.CodeUnavailable, "test", "never stored"))
	if code := w.alice.refused(t, 3); code != chat.CodeUnavailable {
		t.Errorf("the send that was not stored is refused with %d", code)
	}
	w.alice.silent(t, "everything is answered")
}

func TestAckWaitsUntilTheConversationIsInTheSendersList(t *testing.T) {
	w := newWorld(t)
	w.send(1, "first")
	next(t, w.log.proposals).stored(1, false, chat.EffectRef{Destination: 1, Number: 7})
	opening := next(t, w.outbox)
	w.send(2, "first, again")
	next(t, w.log.proposals).stored(1, true, chat.EffectRef{Destination: 1, Number: 8})
	again := next(t, w.outbox)
	w.send(3, "second")
	next(t, w.log.proposals).stored(2, false)
	w.send(4, "third") // its proposal says that the outcome of the second was handled
	third := next(t, w.log.proposals)
	w.alice.silent(t, "the list does not show the conversation")
	opening.answer(&actorpb.DeliveredThrough{})
	again.answer(&actorpb.DeliveredThrough{})
	for request := uint32(1); request <= 3; request++ {
		w.alice.acked(t, request)
	}
	third.stored(3, false)
	w.alice.acked(t, 4)
}

// TestARefusalAfterTheCommitSaysThatTheOutcomeIsUnknown: whoever hears that
// nothing was done, or of an internal error, gives the stored message up.
func TestARefusalAfterTheCommitSaysThatTheOutcomeIsUnknown(t *testing.T) {
	for _, code := range []chat.Code{chat.CodeBusy, chat.CodeUnavailable, chat.CodeInternal} {
		w := newWorld(t)
		w.send(1, "first")
		next(t, w.log.proposals).stored(1, false, chat.EffectRef{Destination: 1, Number: 1})
		next(t, w.outbox).answer(actorpb.Refuse(0, "test", chat.Errorf(code, "test", "refused")))
		if got := w.alice.refused(t, 1); got != chat.CodeTimeout {
			t.Errorf("handing on was refused with %d, the sender hears %d, want %d", code, got, chat.CodeTimeout)
		}
		w.send(2, "first, again")
		next(t, w.log.proposals).stored(1, true, chat.EffectRef{Destination: 1, Number: 2})
		next(t, w.outbox).answer(&actorpb.DeliveredThrough{})
		w.alice.acked(t, 2)
	}
}
