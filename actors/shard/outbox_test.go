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
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shards = 2

// carrier is a replicator that may refuse what brings effects, and tells how
// far an outbox was trimmed.
type carrier struct {
	storage.Replicator
	trimmed chan chat.Delivered

	mu     sync.Mutex
	refuse int // Deliver commands to come that are refused
}

func (c *carrier) Propose(s storage.ShardID, term storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	switch b := commands[0].(type) {
	case chat.Deliver:
		if c.refused() {
			done(storage.Outcome{}, chat.Errorf(chat.CodeBusy, "test", "not now"))
			return
		}
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

func (c *carrier) refused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse--
	return c.refuse >= 0
}

// left is a store whose shard 1 still has effects for shard 2.
func left(t *testing.T, effects int) storage.Store {
	t.Helper()
	store := memory.New(shards, "n1")
	b := store.Batch()
	for i := 0; effects > 0; i++ {
		u := chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)}
		if storage.UserShard(shards, u) == 2 {
			effects--
			b.State(1).QueueEffect(chat.Effect{ConversationOpened: chat.ConversationOpened{User: u, Conversation: chat.PeerConversation(1, "ann", u.ID)}})
		}
	}
	if err := b.Commit(true); err != nil {
		t.Fatal(err)
	}
	return store
}

// recoverAll runs the shards' actors over a store and tells them to deliver
// what it holds; it returns when the outbox is empty.
func recoverAll(t *testing.T, store storage.Store, effects, refuse int) {
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
	c := &carrier{Replicator: host, trimmed: make(chan chat.Delivered, 1000), refuse: refuse}
	d := directory.New(directory.Options{System: system, Replicator: c, Idle: time.Hour, Log: quiet})
	d.Register(directory.Shard, shard.New(shard.Options{System: system, Replicator: c, Log: quiet}))
	d.Start()
	defer func() {
		ctx := context.Background()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := host.Close(ctx); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	}()
	if err := d.Send(directory.ShardOf(1), shard.Recover{}, nil); err != nil {
		t.Fatal(err)
	}
	for through := uint64(0); through < uint64(effects); {
		select {
		case b := <-c.trimmed:
			through = b.Through
		case <-time.After(5 * time.Second):
			t.Fatalf("%d of %d effects were delivered", through, effects)
		}
	}
	read := make(chan error, 1)
	var waiting []storage.ShardID
	host.Read(1, func(v storage.View) (err error) { // the store itself may be a round behind the answers
		waiting, err = v.Undelivered()
		return err
	}, func(err error) { read <- err })
	if err := <-read; err != nil || len(waiting) != 0 {
		t.Errorf("effects still wait for %v, %v", waiting, err)
	}
}

func TestWhatAnEarlierLeadershipLeftIsDelivered(t *testing.T) {
	for _, effects := range []int{1, 256, 257, 1000} {
		t.Run(fmt.Sprint(effects), func(t *testing.T) { recoverAll(t, left(t, effects), effects, 0) })
	}
}

func TestARefusedDeliveryIsTriedAgain(t *testing.T) {
	recoverAll(t, left(t, 10), 10, 3)
}
