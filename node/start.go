package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/relay"
	"github.com/parley-im/parley/actors/session"
	"github.com/parley-im/parley/actors/shard"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/internal/failpoint"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/transport/wire"
	"github.com/parley-im/parley/transport/ws"
)

// minFrame is the least bound on what a client sends at a time.
const minFrame = 64 << 10

func withDefaults(o Options) Options {
	if o.Shards == 0 {
		o.Shards = storage.DefaultShards
	}
	if o.Timing == (connection.Timing{}) {
		o.Timing = connection.DefaultTiming
	}
	if o.Now == nil {
		o.Now = failpoint.Clock()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Fatal == nil {
		log, data := o.Log, o.Data
		o.Fatal = func(err error) {
			why := "the disk failed; ending, as nothing can be acknowledged any more"
			switch {
			case errors.Is(err, storage.ErrOutdated):
				why = "this folder must not be used any more; ending"
			case errors.Is(err, errRelease):
				why = "this release cannot be part of the cluster; ending"
			}
			log.Error(why, "data", data, "error", err)
			os.Exit(1)
		}
	}
	return o
}

func (n *Node) openStore() (err error) {
	if n.store = n.o.Store; n.store != nil {
		return nil
	}
	store, err := pebble.Open(pebble.Options{Dir: filepath.Join(n.o.Data, "store"), Shards: n.o.Shards, Failed: n.o.Fatal, Logger: n.o.Log})
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("the data folder %s is in use by another process; each node needs its own", n.o.Data)
	}
	if err != nil {
		return err
	}
	n.store = store
	return nil
}

// openHost loads the shards' replicas.
func (n *Node) openHost() (err error) {
	n.host, err = replication.New(replication.Options{
		Store: n.store, Shards: n.o.Shards, Voters: n.voters(), Peers: n.mesh.raft, Version: n.version, Now: n.clock.Now,
		Gained: n.gained, Lost: n.lost, CommittedAfterTimeout: n.late,
		Applied: n.applied, Installed: n.installed, Fatal: n.o.Fatal, Log: n.o.Log,
	})
	return err
}

// gained has the shard's actor look after what an earlier leader left in the
// outbox; whoever leads the meta group decides about placement.
func (n *Node) gained(s storage.ShardID, term storage.Term) {
	n.directory.Gained(s, term)
	n.control.announce()
	if s == storage.MetaShard {
		n.driver.Start(term)
		return
	}
	n.recoverShard(s)
}

// late makes up for what follows a commit and did not: nobody was told of the
// message, and no effect was handed on.
func (n *Node) late(s storage.ShardID, ago time.Duration) {
	if s == storage.MetaShard {
		return
	}
	n.directory.CommittedAfterTimeout(s, ago)
	n.recoverShard(s)
}

// applied and installed have the directory remember what was said last.
func (n *Node) applied(s storage.ShardID, events []chat.Event) {
	if s != storage.MetaShard {
		n.directory.Applied(s, events)
	}
}

func (n *Node) installed(s storage.ShardID) {
	if s != storage.MetaShard {
		n.directory.Installed(s)
	}
}

func (n *Node) recoverShard(s storage.ShardID) {
	if err := n.directory.Send(directory.ShardOf(s), shard.Recover{}, nil); err != nil {
		n.o.Log.Warn("shard not recovered", "shard", s, "error", err) // led no longer
	}
}

func (n *Node) lost(s storage.ShardID, _ storage.Term) {
	if s == storage.MetaShard {
		n.driver.Stop()
		return
	}
	n.directory.Lost(s)
}

// restPatience is how long a start waits for the shards that are not served when
// most are: usually their elections are about to end, but some may have lost
// their majority.
const restPatience = 2 * time.Second

// awaitShards waits until shards are served, here or elsewhere: all of them where
// the cluster is being founded, else most.
func (n *Node) awaitShards(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	report := time.NewTicker(10 * time.Second)
	defer report.Stop()
	var most time.Time // since when most are served
	for {
		served := n.directory.Served()
		n.health.observe(time.Now(), served, n.o.Shards)
		switch {
		case served == n.o.Shards:
			return nil
		case 2*served <= n.o.Shards:
			most = time.Time{}
		case most.IsZero():
			most = time.Now()
		case !n.mesh.Founding && time.Since(most) > restPatience:
			n.o.Log.Warn("serving without the shards that have no leader", "served", served, "shards", n.o.Shards)
			return nil
		}
		select {
		case <-look.C:
		case <-report.C:
			n.o.Log.Info("waiting for other nodes", "served", served, "shards", n.o.Shards)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d shards are served; the others wait for nodes that are not there: %w", served, n.o.Shards, ctx.Err())
		}
	}
}

// startActors makes the actor system and says how each kind of actor is made.
func (n *Node) startActors() {
	n.system = actor.NewActorSystem(actor.WithLoggerFactory(bodyFree(n.o.Log)))
	n.relay = relay.New(n.system, n.o.Shards)
	n.control = newControl(n)
	n.driver = placement.NewDriver(placement.Options{
		Cluster: n.control, Now: n.o.Now, Log: n.o.Log,
		Found: placement.Registry{Cluster: n.mesh.Cluster, Shards: n.o.Shards, Version: chat.Version},
	})
	n.directory = directory.New(directory.Options{
		System: n.system, Node: n.store.Node(), Replicator: n.host, Peers: n.mesh.talk, Moved: n.relay.Moved, Heard: n.control.noteLeading,
		Idle: idleActor, Log: n.o.Log,
	})
	n.directory.Register(directory.Shard, shard.New(shard.Options{System: n.system, Replicator: n.host, Log: n.o.Log}))
	n.directory.Register(directory.Session, session.New(session.Options{
		System: n.system, Replicator: n.host, Tables: session.NewTables(), Limits: n.limitsOf, Now: n.clock.Now,
	}))
	n.directory.Register(directory.Conversation, conversation.New(conversation.Options{
		System: n.system, Replicator: n.host, Limits: n.limitsOf, Now: n.clock.Now, Salt: salt,
	}))
	n.directory.Start()
	n.control.done.Go(n.control.run)
	n.control.done.Go(func() { n.clock.Watch(n.control.ctx, n.clockJudged) })
}

func salt() (s [16]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

func (n *Node) startSockets() {
	maxFrame := n.tenants.Load().maxFrame()
	shared := &connection.Options{
		System: n.system, Directory: n.directory, Verifier: n.verifier, Limits: n.limitsOf, Now: n.clock.Now, Log: n.o.Log,
		Node: n.id, Timing: n.o.Timing, MaxFrame: maxFrame, Relay: n.relay,
		Servers: n.servers, Admission: n.admission, Meter: n.meter,
	}
	var names []string
	for _, c := range wire.Codecs() {
		names = append(names, c.Name())
	}
	n.sockets = ws.NewServer(ws.Options{
		Subprotocols: names,
		Text: func(name string) bool {
			c, ok := wire.ByName(name)
			return ok && c.Text()
		},
		Accept: func(c ws.Conn, name string) ws.Handler {
			codec, _ := wire.ByName(name) // negotiated from the names above
			return connection.New(shared, c, codec)
		},
		AllowOrigin: n.originPolicy(),
		MaxMessage:  maxFrame, MaxConnections: maxSockets(), Log: n.o.Log,
		Source: n.sourceOf,
	})
}
