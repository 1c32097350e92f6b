// Package directory finds actors: it maps an identity to its shard, activates
// its actor on the node that leads the shard, under a name that holds the
// leader's term, and sends to it, across nodes when another one leads. Actors
// and connections call it; nothing in it blocks on I/O. See DESIGN.md.
//
// The guarantees:
//
//   - On one node at most one activation of an identity at a time, and none
//     under an older term once a newer one exists. On different nodes two may
//     live for a moment; only that of the newer term can commit anything or read
//     anything that was acknowledged.
//   - A request, which is a message with a request number and a sender, is
//     answered: by its actor, or by a Refused that says whether it was done.
//   - Other messages reach the actor or are lost with a process or a connection
//     between nodes; pushes are repeated then (PushAgain, Recheck), and whoever
//     depends on others is notified (Gone, Moved).
//   - Passivation loses nothing: Release and Send exclude each other, and Release
//     refuses while the mailbox holds anything.
//   - An activation whose handler panicked handles nothing more: it answers who
//     waits, and what its mailbox holds goes to another one, under another PID.
//   - Messages of one sender to one identity keep their order, unless the
//     identity's shard moves in between.
package directory

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Kind says which actor an identity is.
type Kind uint8

// The kinds of virtual actor.
const (
	Session      Kind = iota // a user: App, ID = user ID
	Conversation             // a conversation: App, Chat, ID
	Shard                    // a shard itself: Number
)

// Identity names a virtual actor.
type Identity struct {
	Kind   Kind
	App    chat.AppID
	Chat   chat.Kind // conversations
	ID     string
	Number storage.ShardID // shards
}

// SessionOf names a user's actor.
func SessionOf(u chat.UserKey) Identity { return Identity{Kind: Session, App: u.App, ID: u.ID} }

// ConversationOf names a conversation's actor.
func ConversationOf(c chat.ConversationKey) Identity {
	return Identity{Kind: Conversation, App: c.App, Chat: c.Kind, ID: c.ID}
}

// ShardOf names a shard's own actor.
func ShardOf(s storage.ShardID) Identity { return Identity{Kind: Shard, Number: s} }

// User is the user of a session.
func (id Identity) User() chat.UserKey { return chat.UserKey{App: id.App, ID: id.ID} }

// Key is the key of a conversation.
func (id Identity) Key() chat.ConversationKey {
	return chat.ConversationKey{App: id.App, Kind: id.Chat, ID: id.ID}
}

// Activation tells an actor who and where it is.
type Activation struct {
	Identity  Identity
	Shard     storage.ShardID
	Term      storage.Term
	Directory *Directory

	activation *activation
}

// Idle asks an activation that nobody wrote to for a while to Release itself
// if it has nothing to do.
type Idle struct{}

// Peers carries messages to other nodes. link.Link is one.
type Peers interface {
	// Send never blocks; false says that the message was dropped.
	Send(to storage.NodeID, m *peerpb.Message) bool
	// Queued is how many bytes wait for a node: 0 when it is not connected.
	Queued(to storage.NodeID) int
}

// Options says what a directory works with.
type Options struct {
	System     *actor.ActorSystem
	Replicator storage.Replicator
	// Node is this node.
	Node  storage.NodeID
	Peers Peers
	// Moved is called when the sessions of a shard's users have a new place, or may
	// have lost pushes to the connections of this node, for how long. It must not
	// block.
	Moved func(storage.ShardID, time.Duration)
	// Heard is called with what other nodes lead. It must not block.
	Heard func(from storage.NodeID, l *actorpb.Leading)
	// Idle is how long an activation may be silent before it is asked to go.
	Idle time.Duration
	Log  *slog.Logger
}

// Directory is a node's map of activations.
type Directory struct {
	o        Options
	kinds    map[Kind]func(Activation) actor.Actor
	stripes  []stripe // by shard
	now      atomic.Int64
	counter  atomic.Uint64
	live     atomic.Int64
	panics   atomic.Uint64
	foreign  atomic.Uint64 // messages that were not understood
	workers  *dispatcher
	closing  atomic.Bool
	notifier *notifier
	parked   atomic.Int64
	begun    time.Time
	stop     chan struct{}
	done     sync.WaitGroup

	mu         sync.RWMutex // guards the map
	neighbours map[storage.NodeID]*neighbour
}

// stripe is what concerns one shard: its activations here, and who leads it.
type stripe struct {
	mu     sync.RWMutex
	live   map[Identity]*activation
	route  route
	parked []parked // waits for somebody to lead, in order

	// missed is when the first push was dropped of those that whoever leads is not
	// told of yet, by elapsed; 0: none was.
	missed atomic.Int64

	recent recent // what was said last in the shard
}

type activation struct {
	pid     *actor.PID
	mailbox *mailbox
	used    atomic.Int64 // seconds of the directory's clock

	connections atomic.Pointer[[]*actor.PID] // that get pushes past the mailbox
	heads       atomic.Pointer[heads]        // of those pushes, for an actor that keeps a list
}

// New makes a directory; Register its kinds, then Start it.
func New(o Options) *Directory {
	if o.Moved == nil {
		o.Moved = func(storage.ShardID, time.Duration) {}
	}
	if o.Heard == nil {
		o.Heard = func(storage.NodeID, *actorpb.Leading) {}
	}
	d := &Directory{
		o: o, kinds: make(map[Kind]func(Activation) actor.Actor), stripes: make([]stripe, o.Replicator.Shards()+1),
		workers: newDispatcher(), begun: time.Now(), stop: make(chan struct{}), neighbours: make(map[storage.NodeID]*neighbour),
	}
	d.notifier = newNotifier(d)
	o.System.ProcessRegistry.RegisterAddressResolver(d.resolve)
	for i := range d.stripes {
		d.stripes[i].live = make(map[Identity]*activation)
	}
	return d
}

// Register says how a kind's actors are made. The constructor must be cheap
// and must not fail.
func (d *Directory) Register(k Kind, produce func(Activation) actor.Actor) { d.kinds[k] = produce }

// Start begins to look for idle activations and expired requests.
func (d *Directory) Start() {
	d.done.Go(d.sweep)
	d.done.Go(d.notifier.run)
}

// Close refuses new activations, stops looking for idle ones, and stops all
// actors once they have handled what is in their mailboxes.
func (d *Directory) Close(ctx context.Context) error {
	d.closing.Store(true)
	close(d.stop)
	d.done.Wait()
	d.expire(math.MaxInt64)
	defer d.workers.close()
	var pids []*actor.PID
	for i := range d.stripes {
		s := &d.stripes[i]
		s.mu.Lock()
		for id, a := range s.live {
			pids = append(pids, a.pid)
			delete(s.live, id)
		}
		s.mu.Unlock()
	}
	for _, pid := range pids {
		if err := d.o.System.Root.PoisonFuture(pid).Wait(); err != nil && ctx.Err() == nil {
			d.o.Log.Warn("actor did not stop", "actor", pid.Id, "error", err)
		}
	}
	return ctx.Err()
}

// Lost ends the activations of a shard that this node no longer leads. They
// handle what their mailboxes hold, and stop; whatever is sent from then on is
// refused or goes to the activations of the next leadership.
func (d *Directory) Lost(shard storage.ShardID) {
	s := &d.stripes[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, a := range s.live {
		delete(s.live, id)
		d.live.Add(-1)
		d.o.System.Root.Poison(a.pid)
	}
}

// Left gives a function that says whether a process of this node has ended. Of
// other nodes' processes it says that they have not.
func (d *Directory) Left(pid *actor.PID) func() bool {
	return func() bool {
		if pid.Address != d.o.System.Address() {
			return false
		}
		_, there := d.o.System.ProcessRegistry.GetLocal(pid.Id)
		return !there
	}
}

// Shard is where an identity lives.
func (d *Directory) Shard(id Identity) storage.ShardID {
	switch id.Kind {
	case Session:
		return storage.UserShard(d.o.Replicator.Shards(), id.User())
	case Conversation:
		return storage.ConversationShard(d.o.Replicator.Shards(), id.Key())
	}
	return id.Number
}

// Live is the number of activations.
func (d *Directory) Live() int { return int(d.live.Load()) }

// name is unique on this node for ever: the term and a counter.
func (d *Directory) name(id Identity, term storage.Term) string {
	return fmt.Sprintf("%d/%d/%d", id.Kind, term, d.counter.Add(1))
}
