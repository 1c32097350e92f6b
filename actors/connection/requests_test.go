package connection

import (
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "0123456789abcdef0123456789abcdef"

var ann = chat.UserKey{App: 1, ID: "ann"}

// socket tells the frames that are written to it.
type socket struct {
	frames chan *wirepb.ServerFrame
	closed chan uint16
}

func (s *socket) Write(message []byte, _ int) bool {
	f, err := wire.Proto{}.DecodeServer(message)
	if err != nil {
		panic(err)
	}
	s.frames <- f
	return true
}
func (*socket) Authenticated()             {}
func (s *socket) Close(c uint16, _ string) { s.closed <- c }

func (s *socket) next(t testing.TB) *wirepb.ServerFrame {
	t.Helper()
	select {
	case f := <-s.frames:
		return f
	case <-time.After(5 * time.Second):
		t.Fatal("the client gets nothing")
		return nil
	}
}

// only leads the only shard.
type only struct{ storage.Replicator }

func (only) Shards() int                                  { return 1 }
func (only) Leader(storage.ShardID) (storage.Term, error) { return 1, nil }

// asked is what an actor was asked.
type asked struct {
	request uint32
	answer  func(any)
}

// world is a node whose actors leave the answers to the test.
type world struct {
	testing.TB
	o             *Options
	session, conv chan asked
}

type members map[string]bool

func (m members) Add(_ chat.UserKey, id string, _ relayed) { m[id] = true }
func (m members) Remove(_ chat.UserKey, id string)         { delete(m, id) }

func newWorld(t testing.TB) *world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond))
	verifier, err := auth.NewVerifier([]auth.App{{ID: 1, Secret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, session: make(chan asked, 1000), conv: make(chan asked, 1000)}
	d := directory.New(directory.Options{System: system, Replicator: only{}, Node: "n", Idle: time.Minute, Log: quiet})
	tell := func(to chan asked) func(directory.Activation) actor.Actor {
		return func(directory.Activation) actor.Actor {
			return actor.ReceiveFunc(func(ctx actor.Context) {
				if request := actorpb.RequestOf(ctx.Message()); request != 0 {
					from := ctx.Sender()
					to <- asked{request, func(m any) { system.Root.Send(from, m) }}
				}
			})
		}
	}
	d.Register(directory.Session, tell(w.session))
	d.Register(directory.Conversation, tell(w.conv))
	d.Start()
	w.o = &Options{
		System: system, Directory: d, Verifier: func() *auth.Verifier { return verifier }, Limits: func(chat.AppID) chat.Limits { return chat.DefaultLimits() }, Now: time.Now,
		Log: quiet, Node: "n", Timing: DefaultTiming, Relay: members{}, Admission: ask.NewAdmission(), Meter: ask.NewMeter(quiet), Servers: func() []string { return nil },
	}
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return w
}

func (w *world) asked(from chan asked) asked {
	w.Helper()
	select {
	case a := <-from:
		return a
	case <-time.After(5 * time.Second):
		w.Fatal("the actor is not asked")
		return asked{}
	}
}

// login gives the connection of ann, whose hello has an id.
func (w *world) login(id uint32) (*Connection, *socket) {
	w.Helper()
	c, s := w.hello(id)
	a := w.asked(w.session)
	a.answer(&actorpb.Attached{Request: a.request})
	if f := s.next(w.TB); f.ReplyTo != id || f.GetHello() == nil {
		w.Fatalf("hello %d is answered by %v", id, f)
	}
	return c, s
}

// hello makes a connection and says hello on it.
func (w *world) hello(id uint32) (*Connection, *socket) {
	w.Helper()
	s := &socket{frames: make(chan *wirepb.ServerFrame, 1000), closed: make(chan uint16, 10)}
	c := New(w.o, s, wire.Proto{})
	token, err := auth.Generate04(1, ann.ID, secret, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	say(w.TB, c, id, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_Hello{Hello: &wirepb.Hello{
		ProtocolVersion: wire.ProtocolVersion, AppId: 1, UserId: ann.ID, DeviceId: "phone", Token: token,
	}}})
	return c, s
}

func say(t testing.TB, c *Connection, id uint32, f *wirepb.ClientFrame) {
	t.Helper()
	f.Id = id
	data, err := wire.Proto{}.EncodeClient(f)
	if err != nil {
		t.Fatal(err)
	}
	c.Receive(data, false)
}

func history(peer string) *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: &wirepb.QueryMessages{
		Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer}, Count: 1,
	}}}
}

func (s *socket) code(t *testing.T, id uint32) chat.Code {
	t.Helper()
	f := s.next(t)
	if f.ReplyTo != id {
		t.Fatalf("got %v, want an answer to %d", f, id)
	}
	return chat.Code(f.GetError().GetCode())
}

func TestAnIDInUseIsRefusedAndFreeAfterTheAnswer(t *testing.T) {
	w := newWorld(t)
	c, s := w.login(1)
	for _, id := range []uint32{7, math.MaxUint32, 1} { // 1 was hello's
		say(t, c, id, history("bob"))
		first := w.asked(w.conv)
		say(t, c, id, history("carol"))
		if code := s.code(t, id); code != chat.CodeInvalidParam {
			t.Errorf("id %d in use: %d, want %d", id, code, chat.CodeInvalidParam)
		}
		first.answer(actorpb.NewAnswer(first.request, &wirepb.QueryMessagesReply{}))
		if code := s.code(t, id); code != 0 {
			t.Errorf("id %d is answered by %d", id, code)
		}
		first.answer(actorpb.NewAnswer(first.request, &wirepb.QueryMessagesReply{})) // twice: for nobody
		say(t, c, id, history("bob"))
		again := w.asked(w.conv)
		if again.request == first.request {
			t.Errorf("number %d is given again", first.request)
		}
		again.answer(actorpb.Refuse(again.request, "test", chat.Errorf(chat.CodeUnavailable, "test", "refused")))
		if code := s.code(t, id); code != chat.CodeUnavailable {
			t.Errorf("id %d after the answer: %d", id, code)
		}
	}
	say(t, c, 0, history("bob"))
	if code := s.code(t, 0); code != chat.CodeInvalidParam {
		t.Errorf("id 0: %d, want %d", code, chat.CodeInvalidParam)
	}
	if n := w.o.Admission.Waiting(); n != 0 {
		t.Errorf("everything is answered, and %d wait", n)
	}
}

// TestRandomIDsFindTheirAnswers answers in any order.
func TestRandomIDsFindTheirAnswers(t *testing.T) {
	w := newWorld(t)
	c, s := w.login(1)
	ids := make(map[uint32]bool)
	var open []asked
	for len(open) < maxInFlight {
		id := mathrand.Uint32()
		if id == 0 || ids[id] {
			continue
		}
		ids[id] = true
		say(t, c, id, history("bob"))
		open = append(open, w.asked(w.conv))
	}
	say(t, c, 1, history("bob"))
	if code := s.code(t, 1); code != chat.CodeBusy {
		t.Errorf("one too many: %d, want %d", code, chat.CodeBusy)
	}
	mathrand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, a := range open {
		a.answer(actorpb.NewAnswer(a.request, &wirepb.QueryMessagesReply{}))
		if f := s.next(t); !ids[f.ReplyTo] || f.GetQueryMessages() == nil {
			t.Errorf("got %v", f)
		} else {
			delete(ids, f.ReplyTo)
		}
	}
	if len(ids) != 0 || w.o.Admission.Waiting() != 0 {
		t.Errorf("%d have no answer, %d wait", len(ids), w.o.Admission.Waiting())
	}
}

// TestAnAnswerThatNeverComesIsGivenUp: whatever goes wrong, the client hears of
// it, and nothing stays counted.
func TestAnAnswerThatNeverComesIsGivenUp(t *testing.T) {
	w := newWorld(t)
	c, s := w.login(1)
	say(t, c, 7, history("bob"))
	a := w.asked(w.conv)
	c.expire(time.Now().Add(ask.AnswerTime - time.Second))
	c.expire(time.Now().Add(ask.AnswerTime + time.Second))
	if code := s.code(t, 7); code != chat.CodeTimeout {
		t.Errorf("the client hears %d, want %d", code, chat.CodeTimeout)
	}
	a.answer(actorpb.NewAnswer(a.request, &wirepb.QueryMessagesReply{}))
	say(t, c, 8, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
	if f := s.next(t); f.GetPing() == nil {
		t.Errorf("after that it hears %v", f)
	}
	say(t, c, 9, history("bob"))
	w.asked(w.conv)
	c.Closed()
	if w.o.Admission.Waiting() != 0 {
		t.Errorf("it has left, and %d wait", w.o.Admission.Waiting())
	}
}

// TestARequestWithHellosIDIsNoReattachment: the refusal of one is not the other's.
func TestARequestWithHellosIDIsNoReattachment(t *testing.T) {
	w := newWorld(t)
	c, s := w.login(1)
	c.Reattach(time.Second)
	attach := w.asked(w.session)
	say(t, c, 1, history("bob"))
	a := w.asked(w.conv)
	a.answer(actorpb.Refuse(a.request, "test", chat.Errorf(chat.CodeBusy, "test", "refused")))
	if code := s.code(t, 1); code != chat.CodeBusy {
		t.Errorf("the client hears %d, want %d", code, chat.CodeBusy)
	}
	attach.answer(actorpb.Refuse(attach.request, "test", chat.Errorf(chat.CodeBusy, "test", "refused")))
	c.Tick(false) // asks again
	again := w.asked(w.session)
	again.answer(&actorpb.Attached{Request: again.request})
	again.answer(&actorpb.Attached{Request: again.request})
	c.Tick(false)
	select {
	case code := <-s.closed:
		t.Errorf("the connection is closed with %d", code)
	case f := <-s.frames:
		t.Errorf("the client sees %v", f)
	case a := <-w.session:
		t.Errorf("the session is asked again: %d", a.request)
	default:
	}
	if !w.o.Relay.(members)[c.pid.Id] {
		t.Error("the relay has forgotten the connection")
	}
}

func TestWhoIsOneTooManyIsTurnedAway(t *testing.T) {
	w := newWorld(t)
	w.o.Limits = func(chat.AppID) chat.Limits { return chat.Limits{Connections: 1} }
	w.login(1)
	_, s := w.hello(1)
	if code := s.code(t, 1); code != chat.CodeBusy {
		t.Errorf("the second connection hears %d, want %d", code, chat.CodeBusy)
	}
	if code := <-s.closed; code != closeOverloaded {
		t.Errorf("it is closed with %d, want %d", code, closeOverloaded)
	}
}

// TestAFloodOfPingsIsRefused: what the node answers itself is bounded too.
func TestAFloodOfPingsIsRefused(t *testing.T) {
	w := newWorld(t)
	c, s := w.login(1)
	for id := uint32(2); id < 1000; id++ {
		say(t, c, id, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
		switch f := s.next(t); {
		case f.GetPing() != nil:
		case f.GetError().GetCode() != uint32(chat.CodeBusy) || f.GetError().GetRetryAfterMs() == 0:
			t.Fatalf("ping %d is answered by %v", id, f)
		default:
			return
		}
	}
	t.Error("a thousand pings are answered")
}

// TestNoPushComesBeforeTheWelcome has pushes come all the while that clients are
// let in: a client may take what comes before the answer to its hello for a fault.
func TestNoPushComesBeforeTheWelcome(t *testing.T) {
	w := newWorld(t)
	push, err := (&wirepb.ServerFrame{Body: &wirepb.ServerFrame_Behind{Behind: &wirepb.Behind{}}}).MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		c, s := w.hello(1)
		a := w.asked(w.session)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 50 {
				c.SendUserMessage(nil, &actorpb.Deliver{Frame: push})
			}
		}()
		a.answer(&actorpb.Attached{Request: a.request})
		if f := s.next(t); f.GetHello() == nil {
			t.Fatalf("the first frame is %v", f)
		}
		<-done
		c.Closed()
	}
}
