package directory_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// leader is a replicator that leads every shard in a term, 0: none.
type leader struct {
	storage.Replicator
	term atomic.Uint64
}

func (l *leader) Shards() int { return 8 }

func (l *leader) Leader(storage.ShardID) (storage.Term, error) {
	if term := l.term.Load(); term > 0 {
		return storage.Term(term), nil
	}
	return 0, chat.Errorf(chat.CodeUnavailable, "lead", "somebody else leads")
}

// nobody is a node's peers when it is alone.
type nobody struct{}

func (nobody) Send(storage.NodeID, *peerpb.Message) bool { return false }
func (nobody) Queued(storage.NodeID) int                 { return 0 }

// world is a directory of probes.
type world struct {
	*testing.T
	system    *actor.ActorSystem
	directory *directory.Directory
	leader    *leader
}

func newWorld(t *testing.T, receive func(directory.Activation, actor.Context)) *world {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{T: t, leader: &leader{}, system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))}
	w.leader.term.Store(3)
	w.directory = directory.New(directory.Options{System: w.system, Node: "n1", Replicator: w.leader, Peers: nobody{}, Idle: time.Second, Log: quiet})
	w.directory.Register(directory.Session, func(act directory.Activation) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) { receive(act, ctx) })
	})
	w.directory.Start()
	t.Cleanup(func() {
		if err := w.directory.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
		w.system.Shutdown()
	})
	return w
}

// sink gives an actor's PID and what it receives.
func (w *world) sink() (*actor.PID, <-chan any) {
	got := make(chan any, 10_000)
	return w.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, system := ctx.Message().(actor.SystemMessage); !system {
			got <- ctx.Message()
		}
	})), got
}

func (w *world) send(id directory.Identity, message any, sender *actor.PID) {
	w.Helper()
	if err := w.directory.Send(id, message, sender); err != nil {
		w.Errorf("send: %v", err)
	}
}

var ann = directory.SessionOf(chat.UserKey{App: 1, ID: "ann"})

// numbered is a sender's n-th message; leave asks the actor to go after it.
type numbered struct {
	sender, n int
	leave     bool
}

// TestPassivationLosesNothing has actors leave whenever they may while others
// write to them in bursts: everything is handled once, in each sender's order,
// by one actor at a time.
func TestPassivationLosesNothing(t *testing.T) {
	const senders, messages = 4, 3000
	var last [senders]int
	var handled [senders]chan int
	for s := range handled {
		handled[s] = make(chan int, messages)
	}
	var inside, activations, left, stayed atomic.Int64
	w := newWorld(t, func(act directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			activations.Add(1)
		case numbered:
			if inside.Add(1) != 1 {
				t.Error("two actors of one identity work at once")
			}
			if last[m.sender]+1 != m.n {
				t.Errorf("message %d of sender %d came after %d", m.n, m.sender, last[m.sender])
			}
			last[m.sender] = m.n
			inside.Add(-1) // after Release the next one may begin
			if m.leave && act.Directory.Release(act, ctx) {
				left.Add(1)
			} else if m.leave {
				stayed.Add(1)
			}
			handled[m.sender] <- m.n
		}
	})
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for n := 1; n <= messages; n++ {
				w.send(ann, numbered{s, n, n%3 != 0}, nil)
				if n%5 != 0 {
					continue
				}
				for range 5 {
					select {
					case <-handled[s]:
					case <-time.After(10 * time.Second):
						t.Errorf("a message of sender %d up to %d was not handled", s, n)
						return
					}
				}
			}
		})
	}
	sending.Wait()
	if activations.Load() < 10 || left.Load() < 10 || stayed.Load() < 10 {
		t.Errorf("%d activations, %d left, %d stayed: the test has tested little", activations.Load(), left.Load(), stayed.Load())
	}
}

func TestAFullMailboxAnswersBusyAndKeepsWhatItTook(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var handled atomic.Int64
	done := make(chan struct{})
	w := newWorld(t, func(_ directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case string:
			close(entered)
			<-leave
		case int:
			if handled.Add(1); m < 0 {
				close(done)
			}
		}
	})
	w.send(ann, "wait", nil)
	<-entered
	taken := 0
	for ; taken < 5000; taken++ {
		if err := w.directory.Send(ann, 1, nil); err != nil {
			if chat.CodeOf(err) != chat.CodeBusy {
				t.Fatal(err)
			}
			break
		}
	}
	if taken != 4096 {
		t.Errorf("%d messages were taken, want 4096", taken)
	}
	w.directory.SendLive(ann, 1) // which a full mailbox does not take
	close(leave)
	for w.directory.Send(ann, -1, nil) != nil {
	}
	<-done
	if handled.Load() != int64(taken+1) {
		t.Errorf("%d messages were handled, want %d", handled.Load(), taken+1)
	}
}

// TestAPanickingActorAnswersAndGoesOn lets it panic more often than a
// supervisor usually bears: every request is answered, none is lost.
func TestAPanickingActorAnswersAndGoesOn(t *testing.T) {
	const requests = 41 // the last one is fine
	var made atomic.Int64
	w := newWorld(t, func(_ directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			made.Add(1)
		case *actorpb.Ask:
			if m.Request%2 == 1 {
				panic("a bug")
			}
			ctx.Send(ctx.Sender(), actorpb.NewAnswer(m.Request, nil))
		}
	})
	pid, got := w.sink()
	for n := range uint32(requests) {
		w.send(ann, &actorpb.Ask{Request: n}, pid)
	}
	for n := range uint32(requests) {
		select {
		case m := <-got:
			if r, ok := m.(*actorpb.Answer); n%2 == 1 && (!ok || r.Request != n || r.Error.GetCode() != uint32(chat.CodeInternal) || strings.Contains(r.Error.Message, "a bug")) {
				t.Errorf("request %d was answered by %v", n, m)
			}
			if f, ok := m.(*actorpb.Answer); n%2 == 0 && (!ok || f.Request != n || f.Error != nil) {
				t.Errorf("request %d was answered by %v", n, m)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("request %d has no answer", n)
		}
	}
	if w.directory.Panics() != requests/2 || made.Load() != requests/2+1 {
		t.Errorf("%d panics and %d starts, want %d and one more", w.directory.Panics(), made.Load(), requests/2)
	}
}

func TestAnActorThatStopsIsForgottenAndMadeAnew(t *testing.T) {
	names := make(chan string, 10)
	w := newWorld(t, func(_ directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			names <- ctx.Self().Id
		case string:
			ctx.Stop(ctx.Self())
		case chan struct{}:
			close(m)
		}
	})
	w.send(ann, "stop", nil)
	first := <-names
	for w.directory.Live() != 0 { // until it is forgotten, as it stops by itself
		w.directory.SendLive(ann, 1)
	}
	handled := make(chan struct{})
	w.send(ann, handled, nil)
	<-handled
	if second := <-names; second == first {
		t.Errorf("the second activation has the first one's name, %s", first)
	}
	if w.directory.Live() != 1 {
		t.Errorf("%d live, want 1", w.directory.Live())
	}
}

func TestNamesAndActivationsCarryTheTerm(t *testing.T) {
	type seen struct {
		name string
		act  directory.Activation
	}
	got := make(chan seen, 10)
	w := newWorld(t, func(act directory.Activation, ctx actor.Context) {
		if _, ok := ctx.Message().(int); ok {
			got <- seen{ctx.Self().Id, act}
			act.Directory.Release(act, ctx)
		}
	})
	for _, term := range []uint64{3, 8} {
		w.leader.term.Store(term)
		w.send(ann, 1, nil)
		s := <-got
		want := map[uint64]string{3: "/3/", 8: "/8/"}[term]
		if s.act.Term != storage.Term(term) || !strings.Contains(s.name, want) || s.act.Identity != ann || s.act.Shard != storage.UserShard(8, ann.User()) {
			t.Errorf("in term %d came %+v", term, s)
		}
		for w.directory.Live() != 0 {
		}
	}
	w.leader.term.Store(0)
	if err := w.directory.Send(ann, 1, nil); chat.CodeOf(err) != chat.CodeUnavailable || w.directory.Live() != 0 {
		t.Errorf("without a leader: %v, %d live", err, w.directory.Live())
	}
	if w.directory.SendLive(ann, 1); w.directory.Live() != 0 {
		t.Error("SendLive has activated somebody")
	}
}

func TestASilentActorIsAskedToGo(t *testing.T) {
	asked := make(chan bool, 10)
	w := newWorld(t, func(act directory.Activation, ctx actor.Context) {
		if _, ok := ctx.Message().(directory.Idle); ok {
			asked <- act.Directory.Release(act, ctx)
		}
	})
	w.send(ann, 1, nil)
	select {
	case released := <-asked:
		if !released || w.directory.Live() != 0 {
			t.Errorf("released %v, %d live", released, w.directory.Live())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody asked it")
	}
}
