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
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/actors/relay"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/clock"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/transport/source"
	"github.com/parley-im/parley/transport/ws"
)

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
	// PathPrefix is where a proxy mounts the node, /chat: what is asked for under it
	// is served as without it.
	PathPrefix string
	// Certificate and Key are PEM files for clients, and for operators off loopback;
	// both empty: plain HTTP.
	Certificate, Key string
	// Admin is where operators reach the node: the cluster, metrics, profiles; empty:
	// nowhere. AdminToken lets them in; empty: nobody.
	Admin, AdminToken string
	// Store replaces the store in Data.
	Store storage.Store
	// Now is the node's wall clock, which may be wrong: cluster/clock guards it.
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
	lineage   *lineage.Keeper
	refused   chan error    // the first word that this node must not be part of the cluster
	agreed    atomic.Uint32 // the version that the cluster agreed on; 0: not heard yet
	beating   sync.WaitGroup
	stopped   context.Context // ends what beats
	stop      context.CancelFunc
	directory *directory.Directory
	relay     *relay.Relay
	control   *control
	driver    *placement.Driver
	clock     *clock.Guard
	linked    chan struct{} // closed once there is something that answers on the links
	admission *ask.Admission
	meter     *ask.Meter
	sockets   *ws.Server
	clients   *front
	admin     *front
	health    health
	tenants   atomic.Pointer[tenants]
	// certificate is nil without TLS.
	certificate *certificate
}

// idleActor is how long an actor that nobody writes to stays in memory.
const idleActor = 60 * time.Second

// Start brings a node up: its ports, which answer about its health from then on
// and take what else they serve later; the store, the place among other nodes,
// the replication host, the others' word that the store is as they know it, the
// actors, the links to the others, then the shards' elections, and last the
// clients, so that nobody gets in before there is somebody to answer. A port that
// is taken ends the start before anything has changed. It may wait for other
// nodes, until ctx ends. On an error what was started is stopped.
func Start(ctx context.Context, o Options) (n *Node, err error) {
	o = withDefaults(o)
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	n = &Node{
		o: o, id: hex.EncodeToString(id[:]), admission: ask.NewAdmission(), meter: ask.NewMeter(o.Log),
		linked: make(chan struct{}), refused: make(chan error, 1), clock: clock.New(o.Now),
	}
	n.stopped, n.stop = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close(ctx))
		}
	}()
	if err := n.setApps(o.Apps); err != nil {
		return n, err
	}
	n.health.wait("starting")
	for _, begin := range []func() error{n.loadCertificate, n.listenPeers, n.listenClients, n.listenAdmin, n.openStore, n.openLineage} {
		if err := begin(); err != nil {
			return n, err
		}
	}
	n.health.wait("waiting for the other nodes of the cluster")
	if err := n.meet(ctx); err != nil {
		return n, err
	}
	if err := n.connect(); err != nil {
		return n, fmt.Errorf("start the links to other nodes: %w", err)
	}
	if err := n.openHost(); err != nil {
		return n, fmt.Errorf("start replication: %w", err)
	}
	if err := n.awaitWelcome(ctx); err != nil {
		return n, err
	}
	n.beating.Go(n.beat)
	n.startActors()
	n.startSockets()
	n.host.Start()
	close(n.linked)
	n.reach(n.mesh.members.Nodes())
	if n.admin != nil {
		n.admin.open(n.adminRoutes())
	}
	return n, n.openClients(ctx)
}

// openClients waits for the shards, and lets clients in.
func (n *Node) openClients(ctx context.Context) error {
	n.health.wait("waiting for the leaders of the shards")
	if err := n.awaitShards(ctx); err != nil {
		return err
	}
	if err := n.settled(); err != nil {
		return err
	}
	if err := n.awaitClock(ctx); err != nil {
		return err
	}
	if n.o.Demo {
		if err := n.registerDemoUsers(ctx); err != nil {
			return fmt.Errorf("register the demo users: %w", err)
		}
	}
	n.clients.open(n.clientRoutes())
	n.health.wait("")
	return nil
}

// Addr is where the node listens.
func (n *Node) Addr() string { return n.clients.listener.Addr().String() }

// URL is where the node's page is.
func (n *Node) URL() string {
	scheme := "http"
	if n.certificate != nil {
		scheme = "https"
	}
	return scheme + "://" + n.Addr() + n.o.PathPrefix
}

// Close stops the node in the reverse order of Start: what it serves goes to
// other nodes if there are any, sockets are closed, actors end, what was
// proposed is finished, the store is closed.
func (n *Node) Close(ctx context.Context) error {
	n.health.end()
	n.leave(ctx)
	var errs []error
	if n.sockets != nil {
		errs = append(errs, n.sockets.Close(ctx))
	}
	errs = append(errs, n.clients.close(ctx), n.admin.close(ctx))
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
	n.stop()
	n.beating.Wait()
	errs = append(errs, n.mesh.close(ctx))
	if n.system != nil {
		n.system.Shutdown()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	n.certificate.close()
	return errors.Join(errs...)
}
