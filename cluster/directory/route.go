package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// route is who leads a shard as far as this node has heard. The newest term
// wins, so that what a leader says that was cut off does no harm; a wrong
// route costs a bounce.
type route struct {
	node  storage.NodeID // "": not known
	term  storage.Term
	heard time.Duration // when its leader last said so
	began time.Duration // when it was first heard of
	// owed is since when the leader before may not have pushed what it had applied.
	owed time.Duration
}

// longLed is how long a leader takes at most to push again what is owed.
const longLed = 10 * time.Second

// next is the route as a leader says that it leads. One that has led for long owes
// only what came after its last word; another one also what it took over.
func (r route) next(node storage.NodeID, term storage.Term, now time.Duration) (next route, moved bool) {
	next = route{node: node, term: term, heard: now, began: r.began, owed: r.owed}
	if node == r.node && term == r.term {
		return next, false
	}
	next.began, next.owed = now, r.heard
	switch {
	case r.term == 0:
		next.owed = now // nobody was there to push anything, or this node was not
	case r.heard-r.began < longLed:
		next.owed = min(r.owed, r.heard)
	}
	return next, true
}

// away tells whether a route leads to another node.
func (d *Directory) away(node storage.NodeID) bool { return node != "" && node != d.o.Node }

// Gained begins this node's leadership of a shard: what waits for it is taken,
// and the other nodes are notified.
func (d *Directory) Gained(shard storage.ShardID, term storage.Term) {
	d.learn(shard, d.o.Node, term)
	d.Tell(&actorpb.Leading{Led: []*actorpb.Led{{Shard: uint32(shard), Term: uint64(term)}}})
}

// Heard takes what another node says that it leads.
func (d *Directory) Heard(from storage.NodeID, l *actorpb.Leading) {
	defer d.o.Heard(from, l)
	d.neighbour(from).hear(d.elapsed())
	for _, led := range l.Led {
		if led.Shard < uint32(len(d.stripes)) {
			d.learn(storage.ShardID(led.Shard), from, storage.Term(led.Term))
		}
	}
}

func (d *Directory) learn(shard storage.ShardID, node storage.NodeID, term storage.Term) {
	s := &d.stripes[shard]
	s.mu.Lock()
	was := s.route
	if term < was.term || term == was.term && was.node != "" && was.node != node {
		s.mu.Unlock()
		return
	}
	next, moved := was.next(node, term, d.elapsed())
	s.route = next
	var refused []refusal
	if moved {
		refused = d.unpark(s)
	}
	s.mu.Unlock()
	d.refuse(refused...)
	d.tellMissed(shard)
	if moved && node == d.o.Node && was.term > 0 { // what the old leader may not have pushed
		d.notifier.repeat(again{shard, next.owed, everybody})
	}
	if moved && (was.term > 0 || node != d.o.Node) { // a node that begins has no session that could have missed anything
		d.notifier.movedSince(shard, was.heard)
	}
}

// led lists what this node leads.
func (d *Directory) led() (all []*actorpb.Led) {
	for shard := 1; shard < len(d.stripes); shard++ {
		if term, err := d.o.Replicator.Leader(storage.ShardID(shard)); err == nil {
			all = append(all, &actorpb.Led{Shard: uint32(shard), Term: uint64(term)})
		}
	}
	return all
}

// leads notes that this node still leads what it does, and that each shard that it
// leads has its actor: after a panic nobody else may write to it, and its outbox
// has to be delivered.
func (d *Directory) leads() {
	for shard := 1; shard < len(d.stripes); shard++ {
		if _, err := d.o.Replicator.Leader(storage.ShardID(shard)); err != nil {
			continue
		}
		s := &d.stripes[shard]
		s.mu.Lock()
		if s.route.node == d.o.Node {
			s.route.heard = d.elapsed()
		}
		if id := ShardOf(storage.ShardID(shard)); s.live[id] == nil && d.kinds[Shard] != nil {
			if _, err := d.place(s, parked{id: id, message: Idle{}}); err != nil {
				d.o.Log.Warn("the shard has no actor", "shard", shard, "error", err)
			}
		}
		s.mu.Unlock()
	}
}

// forgetRoute drops a route that turned out to be wrong; the term stays, so that
// only a newer leader's word counts. The stripe is locked.
func (s *stripe) forgetRoute(node storage.NodeID) {
	if s.route.node == node {
		s.route.node = ""
	}
}

// Leader is who leads a shard as far as this node knows, "" when nobody.
func (d *Directory) Leader(shard storage.ShardID) (storage.NodeID, storage.Term) {
	s := &d.stripes[shard]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.route.node, s.route.term
}

// lastWord is for how long a leader counts that has not said again that it leads;
// it does so every second.
const lastWord = 5 * time.Second

// Served tells how many shards have a leader that this node can reach. A route
// alone says nothing: one that nobody uses stays, also when its leader has given up.
func (d *Directory) Served() (served int) {
	for shard := 1; shard < len(d.stripes); shard++ {
		s := &d.stripes[shard]
		s.mu.RLock()
		r := s.route
		s.mu.RUnlock()
		if r.node != "" && (r.node == d.o.Node || d.elapsed()-r.heard <= lastWord) && d.Reaches(r.node, storage.ShardID(shard)) {
			served++
		}
	}
	return served
}

// Reaches tells whether what is sent to a shard's leader gets there: it is
// connected, or this node itself and leads.
func (d *Directory) Reaches(node storage.NodeID, shard storage.ShardID) bool {
	if node == d.o.Node {
		_, err := d.o.Replicator.Leader(shard)
		return err == nil
	}
	return d.Connected(node)
}

// Connected tells whether another node is.
func (d *Directory) Connected(node storage.NodeID) bool { return d.neighbour(node).connected() }

// staleRoute is how old a leader's word may be when this node learns that others
// had given it up. They repeat it every second.
const staleRoute = 2500 * time.Millisecond

// Fence forgets who leads, but for what was heard a moment ago: this node was
// paused or cut off, and only what the others say from then on counts. The terms
// stay, so that nothing older than what was known does.
func (d *Directory) Fence() {
	now := d.elapsed()
	for shard := range d.stripes {
		s := &d.stripes[shard]
		s.mu.Lock()
		if s.route.node != d.o.Node && now-s.route.heard > staleRoute {
			s.route.node = ""
		}
		s.mu.Unlock()
	}
}

// Tell sends what this node leads to the directories of all other nodes.
func (d *Directory) Tell(l *actorpb.Leading) { d.TellAll(ownProcess, l) }

// TellAll sends a message to the processes of a name on all other nodes. It may
// be lost.
func (d *Directory) TellAll(process string, message any) {
	for _, n := range d.everyNeighbour() {
		n.push(envelope(message, nil).toProcess(process))
	}
}

// TellProcess sends a message to a process of another node; from names the
// process of this one that gets the answer. It may be lost; false: the node is
// not connected.
func (d *Directory) TellProcess(node storage.NodeID, process string, message any, from string) bool {
	n := d.neighbour(node)
	if !n.connected() {
		return false
	}
	n.push(envelope(message, actor.NewPID(d.o.System.Address(), from)).toProcess(process))
	return true
}
