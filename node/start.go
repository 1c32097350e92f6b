package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/relay"
	"github.com/parley-im/parley/actors/session"
	"github.com/parley-im/parley/actors/shard"
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/internal/failpoint"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/transport/api"
	"github.com/parley-im/parley/transport/web"
	"github.com/parley-im/parley/transport/wire"
	"github.com/parley-im/parley/transport/ws"
)

// Bounds of a node's sockets.
const (
	maxFrame           = 64 << 10
	maxConnections     = 19_000 // under the 20,000 descriptors of a usual limit
	maxUnauthenticated = 8_192
)

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
		log := o.Log
		o.Fatal = func(err error) {
			log.Error("the disk failed; ending, as nothing can be acknowledged any more", "error", err)
			os.Exit(1)
		}
	}
	return o
}

func (n *Node) verifier() (*auth.Verifier, error) {
	apps := make([]auth.App, 0, len(n.o.Apps))
	for _, a := range n.o.Apps {
		apps = append(apps, a.App)
		n.limits[a.ID] = a.Limits
	}
	if len(apps) == 0 {
		return nil, errors.New("no app is configured; give one as ID:SECRET")
	}
	return auth.NewVerifier(apps)
}

func (n *Node) openStore() (err error) {
	if n.store = n.o.Store; n.store != nil {
		return nil
	}
	store, err := pebble.Open(pebble.Options{Dir: filepath.Join(n.o.Data, "store"), Shards: n.o.Shards, Failed: n.o.Fatal, Logger: n.o.Log})
	if err != nil {
		return err
	}
	n.store = store
	return nil
}

// openHost loads the shards' replicas.
func (n *Node) openHost() (err error) {
	n.host, err = replication.New(replication.Options{
		Store: n.store, Shards: n.o.Shards, Voters: n.voters(), Peers: n.mesh.raft, Now: n.o.Now,
		Gained: n.gained, Lost: n.lost, Late: n.late, Fatal: n.o.Fatal, Log: n.o.Log,
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
	n.directory.Late(s, ago)
	n.recoverShard(s)
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

// awaitShards waits until every shard is served, here or elsewhere.
func (n *Node) awaitShards(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	tell := time.NewTicker(10 * time.Second)
	defer tell.Stop()
	for {
		served := n.directory.Served()
		if served == n.o.Shards {
			return nil
		}
		select {
		case <-look.C:
		case <-tell.C:
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
		Found: placement.Registry{Cluster: n.mesh.Cluster, Shards: n.o.Shards, Command: chat.Version},
	})
	n.directory = directory.New(directory.Options{
		System: n.system, Node: n.store.Node(), Replicator: n.host, Peers: n.mesh.talk, Moved: n.relay.Moved, Heard: n.control.heard,
		Idle: idleActor, Log: n.o.Log,
	})
	n.directory.Register(directory.Shard, shard.New(shard.Options{System: n.system, Replicator: n.host, Log: n.o.Log}))
	n.directory.Register(directory.Session, session.New(session.Options{System: n.system, Replicator: n.host, Now: n.o.Now}))
	n.directory.Register(directory.Conversation, conversation.New(conversation.Options{
		System: n.system, Replicator: n.host, Limits: n.limitsOf, Now: n.o.Now, Salt: salt,
	}))
	n.directory.Start()
	n.control.done.Go(n.control.run)
}

func (n *Node) limitsOf(app chat.AppID) chat.Limits { return n.limits[app] }

func salt() (s [16]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

func (n *Node) startSockets(verifier *auth.Verifier) {
	shared := &connection.Options{
		System: n.system, Directory: n.directory, Verifier: verifier, Limits: n.limitsOf, Now: n.o.Now, Log: n.o.Log,
		Node: n.id, Timing: n.o.Timing, MaxFrame: maxFrame, Relay: n.relay,
		Servers: n.servers, Admission: n.admission,
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
		MaxMessage:  maxFrame, MaxConnections: maxConnections, MaxUnauthenticated: maxUnauthenticated, Log: n.o.Log,
	})
}

// listen opens the port, and with it the node.
func (n *Node) listen() (err error) {
	if n.listener, err = net.Listen("tcp", n.o.Addr); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	api.Register(mux, api.Options{Ready: n.isReady, Metrics: n.metricsHandler(), Dev: n.dev(), Cluster: n.operators()})
	mux.Handle("GET /ws", n.sockets)
	mux.Handle("GET /sdk/", web.SDK())
	mux.Handle("/", web.Handler())
	door := ws.NewDoor(n.listener)
	n.http = &http.Server{
		Handler: mux, ConnState: door.ConnState, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.o.Log.Handler(), slog.LevelDebug),
	}
	n.ready.Store(true)
	go func() {
		defer close(n.served)
		if err := n.http.Serve(door); !errors.Is(err, http.ErrServerClosed) {
			n.o.Log.Error("the listener ended", "error", err)
		}
	}()
	return nil
}

var errDraining = errors.New("not ready: this node is being drained")

var errNotReady = errors.New("not ready: starting or shutting down")

func (n *Node) isReady() error {
	if !n.ready.Load() {
		return errNotReady
	}
	if n.control.isDraining() {
		return errDraining
	}
	if served := n.directory.Served(); served < n.o.Shards {
		return fmt.Errorf("not ready: %d of %d shards are served", served, n.o.Shards)
	}
	return nil
}
