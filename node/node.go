// Package node is the composition root: it starts and stops a whole node, in
// the order written in Start, for the command, the tests and the tools alike.
// It joins the interfaces of the layers below; it decides nothing of its own.
package node

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/actors/relay"
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/transport/source"
	"github.com/parley-im/parley/transport/ws"
)

// App is one tenant.
type App struct {
	auth.App
	Limits chat.Limits
}

// Options say what a node is. Zero values mean the defaults.
type Options struct {
	Addr   string // host:port; port 0 picks a free one
	Data   string // directory
	Shards int
	Apps   []App
	// Origins that browsers may come from, beside the node's own;
	// LoopbackOrigins allows any on this machine.
	Origins         []string
	LoopbackOrigins bool
	// Proxies are trusted to say who a client is and what it asked for.
	Proxies source.Proxies
	// Demo, when set, makes the first app's demo users and hands out tokens.
	Demo   bool
	Timing connection.Timing
	// Cluster says how the node meets others; ClientURL is where it tells clients
	// to be, for operators to see.
	Cluster   ClusterOptions
	ClientURL string
	// AdminToken lets operators see and change the cluster; empty: nobody may.
	AdminToken string
	// Admin is a loopback host:port for profiles; none when empty.
	Admin string
	// Store replaces the store in Data.
	Store storage.Store
	// Now is the server's clock.
	Now func() time.Time
	// Fatal is called when the disk fails; the default ends the process.
	Fatal func(error)
	Log   *slog.Logger
}

// Node is a running node.
type Node struct {
	o         Options
	id        string
	store     storage.Store
	host      *replication.Host
	system    *actor.ActorSystem
	mesh      mesh
	directory *directory.Directory
	relay     *relay.Relay
	control   *control
	driver    *placement.Driver
	linked    chan struct{} // closed once there is something behind the links
	admission *connection.Admission
	sockets   *ws.Server
	listener  net.Listener
	http      *http.Server
	admin     *admin
	metrics   *prometheus.Registry
	limits    map[chat.AppID]chat.Limits
	ready     atomic.Bool
	served    chan struct{}
}

// idleActor is how long an actor that nobody writes to stays in memory.
const idleActor = 60 * time.Second

// Start brings a node up: the store, the place among other nodes, the
// replication host, the actors over that, the links to the others, then the
// shards' elections, the sockets on top, and last the listener, so that nobody
// gets in before every shard is served. It may wait for other nodes, until ctx
// ends. On an error what was started is stopped.
func Start(ctx context.Context, o Options) (n *Node, err error) {
	o = withDefaults(o)
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	n = &Node{
		o: o, id: hex.EncodeToString(id[:]), limits: make(map[chat.AppID]chat.Limits), admission: connection.NewAdmission(),
		linked: make(chan struct{}), served: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close(ctx))
		}
	}()
	verifier, err := n.verifier()
	if err != nil {
		return n, err
	}
	if err := n.openStore(); err != nil {
		return n, err
	}
	if err := n.meet(ctx); err != nil {
		return n, err
	}
	if err := n.connect(); err != nil {
		return n, fmt.Errorf("start the links to other nodes: %w", err)
	}
	if err := n.openHost(); err != nil {
		return n, fmt.Errorf("start replication: %w", err)
	}
	n.startActors()
	n.host.Start()
	close(n.linked)
	n.reach(n.mesh.members.Nodes())
	if err := n.awaitShards(ctx); err != nil {
		return n, err
	}
	if err := n.settled(); err != nil {
		return n, err
	}
	n.startSockets(verifier)
	if o.Demo {
		if err := n.registerDemoUsers(ctx); err != nil {
			return n, fmt.Errorf("register the demo users: %w", err)
		}
	}
	n.registerMetrics()
	if err := n.startAdmin(); err != nil {
		return n, err
	}
	return n, n.listen()
}

// Addr is where the node listens.
func (n *Node) Addr() string { return n.listener.Addr().String() }

// URL is where the node's page is.
func (n *Node) URL() string { return "http://" + n.Addr() }

// Close stops the node in the reverse order of Start: what it serves goes to
// other nodes if there are any, sockets are closed, actors end, what was
// proposed is finished, the store is closed.
func (n *Node) Close(ctx context.Context) error {
	n.ready.Store(false)
	n.leave(ctx)
	var errs []error
	if n.sockets != nil {
		errs = append(errs, n.sockets.Close(ctx))
	}
	if n.http != nil {
		errs = append(errs, n.http.Shutdown(ctx))
		<-n.served
	}
	errs = append(errs, n.admin.close(ctx))
	if n.directory != nil {
		errs = append(errs, n.directory.Close(ctx))
	}
	if n.control != nil {
		errs = append(errs, n.driver.Close(ctx))
		n.control.close()
	}
	if n.host != nil {
		errs = append(errs, n.host.Close(ctx))
	}
	errs = append(errs, n.mesh.close(ctx))
	if n.system != nil {
		n.system.Shutdown()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}
