package directory

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// neighbour is another node, and a process: PIDs of the node resolve to it. It
// counts as connected between Up and Down.
//
// Invariant: questions is empty while it is not connected.
type neighbour struct {
	d    *Directory
	node storage.NodeID

	mu        sync.Mutex
	up        bool
	questions questions
	lost      lostPushes    // to connections; the node hears of them
	unpushed  lostPushes    // to sessions, which are repeated
	heard     time.Duration // when the node last said what it leads; 0: never
}

func (d *Directory) neighbour(node storage.NodeID) *neighbour {
	d.mu.RLock()
	n := d.neighbours[node]
	d.mu.RUnlock()
	if n != nil {
		return n
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n = d.neighbours[node]; n == nil {
		n = &neighbour{d: d, node: node, questions: make(questions)}
		d.neighbours[node] = n
	}
	return n
}

// everyNeighbour lists them, so that none of what is done with them is done with
// the map locked: an answer may lead back here.
func (d *Directory) everyNeighbour() []*neighbour {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := make([]*neighbour, 0, len(d.neighbours))
	for _, n := range d.neighbours {
		all = append(all, n)
	}
	return all
}

// resolve is how PIDs whose address is a node's name find their process.
func (d *Directory) resolve(pid *actor.PID) (actor.Process, bool) {
	return d.neighbour(storage.NodeID(pid.Address)), true
}

// Up says that a node is connected.
func (d *Directory) Up(node storage.NodeID) {
	n := d.neighbour(node)
	n.mu.Lock()
	n.up = true
	heard := n.heard
	n.mu.Unlock()
	if heard > 0 { // also what came back from it, as its sessions had moved, may be lost
		d.notifier.repeat(again{0, heard, everybody})
	}
	n.push(envelope(&actorpb.Leading{Led: d.led()}, nil).toProcess(ownProcess))
	d.uncertain(node, d.elapsed())
}

// Down says that a node is no longer connected: what it was asked has an
// unknown outcome.
func (d *Directory) Down(node storage.NodeID) {
	n := d.neighbour(node)
	n.mu.Lock()
	unanswered := n.questions
	n.up, n.questions = false, make(questions)
	n.mu.Unlock()
	for q := range unanswered {
		d.answer(q, errUnknown)
	}
	d.notifier.down(node, d.elapsed())
}

func (n *neighbour) connected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}

// sweep refuses what the node has not answered in time, and tells it of pushes
// that it has missed.
func (n *neighbour) sweep(now time.Duration) {
	n.mu.Lock()
	late := n.questions.expire(now)
	if n.up && n.lost.due(now) && n.send(envelope(n.lost.message(now), nil).toProcess(ownProcess)) {
		n.lost.since = 0
	}
	var unpushed time.Duration
	if n.up && n.unpushed.due(now) {
		unpushed, n.unpushed.since = n.unpushed.since, 0
	}
	n.mu.Unlock()
	if unpushed > 0 {
		n.d.notifier.repeat(again{0, unpushed, n.d.sessionsOf(n.d.ledBy(n.node)...)})
	}
	for _, q := range late {
		n.d.answer(q, errUnknown)
	}
}

// push sends what nobody waits for; false when the node is not connected. What
// is dropped otherwise is repeated later, or the node told of it.
func (n *neighbour) push(e *outgoing) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.up && e.Type != 0 && !n.send(e) {
		if e.Live {
			n.unpushed.note(n.d.elapsed())
		} else {
			n.lost.note(n.d.elapsed())
		}
	}
	return n.up
}

// hear notes that the node has said what it leads.
func (n *neighbour) hear(at time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = at
}

// missed tells the node, later, that its connections may have missed pushes since a
// time.
func (n *neighbour) missed(since time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost.note(since)
}

// send hands a message to the link, which never calls back under its locks.
func (n *neighbour) send(e *outgoing) bool { return n.d.o.Peers.Send(n.node, e.message()) }

// SendUserMessage implements actor.Process: an answer or a push to a process of
// the node.
func (n *neighbour) SendUserMessage(pid *actor.PID, message any) {
	_, m, sender := actor.UnwrapEnvelope(message)
	n.push(envelope(m, sender).toProcess(pid.Id))
}

// SendSystemMessage implements actor.Process; other nodes are not watched.
func (n *neighbour) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (n *neighbour) Stop(*actor.PID) {}
