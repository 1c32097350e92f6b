// Package relay is a node's end of what actors of other nodes push to its
// clients, one for each node: a push for many of its connections crosses the
// network once. It also knows which connections depend on which shard, and has
// them attach again when their session has moved. It is a plain process without
// a mailbox: pushes keep the order in which they arrive. Nothing in it blocks.
package relay

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// Member is a connection that is in use.
type Member = interface {
	// Reattach has it attach to its session again; it may have missed pushes for
	// that long.
	Reattach(missed time.Duration)
	// Reconnect tells its client to move to another node within a time.
	Reconnect(within time.Duration)
}

// Relay is a node's relay.
type Relay struct {
	system *actor.ActorSystem
	shards int

	mu      sync.Mutex
	members map[storage.ShardID]map[string]Member // by the user's shard and the connection's PID
	count   int
}

// New registers a node's relay with its actor system.
func New(system *actor.ActorSystem, shards int) *Relay {
	r := &Relay{system: system, shards: shards, members: make(map[storage.ShardID]map[string]Member)}
	system.ProcessRegistry.Add(r, directory.RelayProcess)
	return r
}

// Add takes a connection in, under its PID's ID.
func (r *Relay) Add(u chat.UserKey, id string, m Member) {
	shard := storage.UserShard(r.shards, u)
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.members[shard]
	if of == nil {
		of = make(map[string]Member)
		r.members[shard] = of
	}
	if _, known := of[id]; !known {
		r.count++
	}
	of[id] = m
}

// Remove forgets a connection.
func (r *Relay) Remove(u chat.UserKey, id string) {
	shard := storage.UserShard(r.shards, u)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.members[shard][id]; ok {
		delete(r.members[shard], id)
		r.count--
	}
}

// Count is the number of connections.
func (r *Relay) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Moved has the connections whose sessions live in a shard attach again.
func (r *Relay) Moved(shard storage.ShardID, missed time.Duration) {
	for _, m := range r.of(shard) {
		m.Reattach(missed)
	}
}

// Reconnect has all clients move to other nodes within a time.
func (r *Relay) Reconnect(within time.Duration) {
	for shard := range r.shards {
		for _, m := range r.of(storage.ShardID(shard + 1)) {
			m.Reconnect(within)
		}
	}
}

func (r *Relay) of(shard storage.ShardID) []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Member, 0, len(r.members[shard]))
	for _, m := range r.members[shard] {
		all = append(all, m)
	}
	return all
}

// SendUserMessage implements actor.Process: a push for some connections. Those
// that have closed meanwhile need none.
func (r *Relay) SendUserMessage(_ *actor.PID, message any) {
	d, ok := actor.UnwrapEnvelopeMessage(message).(*actorpb.Deliver)
	if !ok {
		return
	}
	for _, id := range d.Connections {
		if connection, ok := r.system.ProcessRegistry.GetLocal(id); ok {
			connection.SendUserMessage(nil, d)
		}
	}
}

// SendSystemMessage implements actor.Process; a relay is not watched.
func (r *Relay) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process; a relay lives as long as its node.
func (r *Relay) Stop(*actor.PID) {}
