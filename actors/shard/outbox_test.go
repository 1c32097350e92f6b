package shard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors/shard"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shards = 2

// carrier is a replicator that may refuse what brings effects and the first
// reads, and tells how far an outbox was trimmed.
type carrier struct {
	storage.Replicator
	trimmed chan chat.Delivered

	mu     sync.Mutex
	sent   []chat.Deliver
	shown  uint64 // the last effect that reads find; 0 for all
	refuse int    // Deliver commands to come that are refused
	unread int    // reads to come that are refused
}

func (c *carrier) Read(s storage.ShardID, by storage.Asker, f func(storage.View) error, done func(error)) {
	if c.counts(&c.unread) {
		done(chat.Errorf(chat.CodeUnavailable, "test", "not now"))
		return
	}
	c.Replicator.Read(s, by, func(v storage.View) error { return f(partly{v, c}) }, done)
}

// partly is a view to which the last effects have not come yet.
type partly struct {
	storage.View
	c *carrier
}

func (p partly) Effects(destination storage.ShardID, limit int) (first uint64, effects []chat.Effect, err error) {
	first, effects, err = p.View.Effects(destination, limit)
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if shown := p.c.shown; shown > 0 && first > 0 {
		effects = effects[:min(uint64(len(effects)), max(shown, first-1)-(first-1))]
	}
	return first, effects, err
}

func (c *carrier) Propose(s storage.ShardID, term storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	switch b := commands[0].(type) {
	case chat.Deliver:
		if c.counts(&c.refuse) {
			done(storage.Outcome{}, chat.Errorf(chat.CodeBusy, "test", "not now"))
			return
		}
		c.mu.Lock()
		c.sent = append(c.sent, b)
		c.mu.Unlock()
	case chat.Delivered:
		c.Replicator.Propose(s, term, commands, func(out storage.Outcome, err error) {
			done(out, err)
			if err == nil { // else the actor tries again
				c.trimmed <- b
			}
		})
		return
	}
	c.Replicator.Propose(s, term, commands, done)
}

// counts counts down and says whether there was anything left.
func (c *carrier) counts(left *int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	*left--
	return *left >= 0
}

// listener is a session that tells what it hears.
type listener chan any

func (l listener) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string, directory.Opened, *actorpb.Deliver:
		l <- m
	}
}

// number gives the n-th user, from 0, of shard 2.
func number(n int) chat.UserKey {
	for i := 0; ; i++ {
		u := chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)}
		if storage.UserShard(shards, u) != 2 {
			continue
		}
		if n--; n < 0 {
			return u
		}
	}
}

func withAnn(u chat.UserKey) chat.ConversationKey { return chat.PeerConversation(1, "ann", u.ID) }

// left is a store whose shard 1 still has effects for shard 2.
func left(t *testing.T, effects int) storage.Store {
	t.Helper()
	store := memory.New(shards, "n1")
	b := store.Batch()
	for i := range effects {
		u := number(i)
		b.State(1).Outbox.Queue(chat.Effect{To: chat.Addressee{User: u}, Body: chat.ConversationOpened{Conversation: withAnn(u)}})
	}
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	return store
}

// running are the shards' actors over a store.
type running struct {
	*carrier
	host      *replication.Host
	directory *directory.Directory
	system    *actor.ActorSystem
	first     listener // the session of the first user, which is active
}

func start(t *testing.T, store storage.Store, refuse, unread int) running {
	t.Helper()
	gained := make(chan struct{}, shards)
	host, err := replication.New(replication.Options{
		Store: store, Shards: shards, Voters: []storage.NodeID{store.Node()}, Now: time.Now, Fatal: func(err error) { t.Error(err) },
		Gained: func(storage.ShardID, storage.Term) { gained <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	host.Start()
	for range shards {
		<-gained
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond)) // its goroutine lives that long
	c := &carrier{Replicator: host, trimmed: make(chan chat.Delivered, 1000), refuse: refuse, unread: unread}
	d := directory.New(directory.Options{System: system, Replicator: c, Idle: time.Hour, Log: quiet})
	d.Register(directory.Shard, shard.New(shard.Options{System: system, Replicator: c, Log: quiet}))
	first := make(listener, 2)
	d.Register(directory.Session, func(directory.Activation) actor.Actor { return first })
	d.Start()
	t.Cleanup(func() {
		ctx := context.Background()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := host.Close(ctx); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	r := running{c, host, d, system, first}
	if err := d.Send(directory.SessionOf(number(0)), "wake up", nil); err != nil {
		t.Fatal(err)
	}
	<-first
	return r
}

// recover has what the outbox holds be delivered.
func (r running) recover(t *testing.T) {
	t.Helper()
	if err := r.directory.Send(directory.ShardOf(1), shard.Recover{}, nil); err != nil {
		t.Fatal(err)
	}
}

// recoverAll runs the shards' actors over a store and tells them to deliver
// what it holds; it returns when the outbox is empty, and what the session of the
// first user was told.
func recoverAll(t *testing.T, store storage.Store, effects, refuse, unread int) (heard any) {
	t.Helper()
	r := start(t, store, refuse, unread)
	r.recover(t)
	for through := uint64(0); through < uint64(effects); {
		select {
		case b := <-r.trimmed:
			through = b.Through
		case <-time.After(5 * time.Second):
			t.Fatalf("%d of %d effects were delivered", through, effects)
		}
	}
	read := make(chan error, 1)
	var waiting []storage.ShardID
	r.host.Read(1, storage.Asker{}, func(v storage.View) (err error) { // the store itself may lag the answers by a round
		waiting, err = v.Undelivered()
		return err
	}, func(err error) { read <- err })
	if err := <-read; err != nil || len(waiting) != 0 {
		t.Errorf("effects still wait for %v, %v", waiting, err)
	}
	select {
	case heard = <-r.first:
	case <-time.After(5 * time.Second):
		t.Error("the session heard nothing")
	}
	return heard
}

func TestWhatAnEarlierLeadershipLeftIsDelivered(t *testing.T) {
	for _, effects := range []int{1, 256, 257, 1000} {
		t.Run(fmt.Sprint(effects), func(t *testing.T) { recoverAll(t, left(t, effects), effects, 0, 0) })
	}
}

func TestARefusedDeliveryIsTriedAgain(t *testing.T) { recoverAll(t, left(t, 10), 10, 3, 0) }

func TestARecoveryThatCannotReadIsTriedAgain(t *testing.T) { recoverAll(t, left(t, 10), 10, 0, 2) }

func TestASessionHearsOfAConversationThatOpens(t *testing.T) {
	want := directory.Opened{Conversation: withAnn(number(0))}
	if heard := recoverAll(t, left(t, 1), 1, 0, 0); heard != want {
		t.Errorf("the session heard %v, want %v", heard, want)
	}
}

// TestWhatIsKeptIsNotDeliveredAgain has effects come one after the other, faster
// than they are deleted.
func TestWhatIsKeptIsNotDeliveredAgain(t *testing.T) {
	const effects = 300
	r := start(t, left(t, effects), 0, 0)
	answers := make(chan uint32, effects)
	asker := r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*actorpb.DeliveredThrough); ok {
			answers <- m.Request
		}
	}))
	for n := range uint32(effects) {
		r.mu.Lock()
		r.shown = uint64(n + 1)
		r.mu.Unlock()
		if err := r.directory.Send(directory.ShardOf(1), &actorpb.DeliverThrough{Request: n + 1, Destination: 2, Through: uint64(n + 1)}, asker); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-answers:
			if got != n+1 {
				t.Fatalf("answer %d, want %d", got, n+1)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("effect %d was not handed on", n+1)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := uint64(1)
	for _, d := range r.sent {
		if d.First != next {
			t.Errorf("a delivery begins at %d, want %d", d.First, next)
		}
		next = d.First + uint64(len(d.Effects))
	}
	if len(r.sent) != effects || next != effects+1 {
		t.Errorf("%d deliveries up to %d, want %d", len(r.sent), next-1, effects)
	}
}
