// Package shard is the actor of a shard itself, one for each shard on the node
// that leads it: it answers batched looks at the shard's heads and profiles,
// and carries the shard's outbox to other shards. Sessions, conversations and
// other shards' actors talk to it. Nothing in it blocks.
package shard

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/pending"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// Options are what all shards' actors of a node share.
type Options struct {
	System     *actor.ActorSystem
	Replicator storage.Replicator
	Log        *slog.Logger
}

// Recover, sent when the shard's leadership begins, has the actor deliver what
// its outbox still holds. It does so whenever it was idle for a while, too: the
// request to hand an effect on may have been refused, the effect itself is never
// lost.
type Recover struct{}

// restoreEpoch tells an outbox from that of a node restored from a backup,
// whose numbers may have been given out before. Restoring comes with backups;
// until then it is 1.
const restoreEpoch = 1

// shard is one activation. Its fields belong to Receive.
type shard struct {
	o        Options
	act      directory.Activation
	name     string
	streams  map[storage.ShardID]*stream
	taking   pending.Table[storage.ShardID] // requests to destinations
	trimDue  bool                           // outboxes will be trimmed in a moment
	trimming bool                           // they are being trimmed
}

// New says how shards' actors are made.
func New(o Options) func(directory.Activation) actor.Actor {
	return func(act directory.Activation) actor.Actor {
		return &shard{o: o, act: act, name: fmt.Sprint("outbox ", act.Shard), streams: make(map[storage.ShardID]*stream)}
	}
}

// Receive implements actor.Actor.
func (s *shard) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actorpb.Look:
		s.look(ctx, m)
	case *actorpb.DeliverThrough:
		s.deliverThrough(ctx, m)
	case effectsRead:
		s.deliver(ctx, m)
	case *actorpb.EffectsTaken:
		s.noteTaken(ctx, m.Request)
	case trim:
		s.trimDue = false
		s.trim(ctx)
	case trimmed:
		s.noteTrimmed(ctx, m)
	case *actorpb.Answer:
		s.retry(ctx, m)
	case again:
		s.pump(ctx, m.destination)
	case *actorpb.TakeEffects:
		s.takeEffects(ctx, m)
	case directory.PushAgain:
		s.pushAgain(ctx, m)
	case Recover, directory.Idle:
		s.recover(ctx)
	case undelivered:
		for _, d := range m.destinations {
			s.pump(ctx, d)
		}
	}
}

// asker is who reads the outbox.
func (s *shard) asker() storage.Asker {
	return storage.Asker{Class: storage.Cluster, ID: s.name}
}

// retryLater comes back to a destination after a jittered pause.
func (s *shard) retryLater(ctx actor.Context, destination storage.ShardID) {
	root, self := s.o.System.Root, ctx.Self()
	time.AfterFunc(50*time.Millisecond+rand.N(150*time.Millisecond), func() { root.Send(self, again{destination}) })
}

// again has the actor try a destination once more.
type again struct{ destination storage.ShardID }
