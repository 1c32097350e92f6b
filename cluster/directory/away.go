package directory

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// answerTime is how long a node that is connected may take to answer a request.
const answerTime = 5 * time.Second

// toldAgain keeps what makes up for dropped pushes from adding to an overload.
const toldAgain = time.Second

// neighbour is another node: a process by which PIDs of it are reached, and what
// it was asked. It counts as connected between Up and Down.
//
// Invariant: asked is empty while it is not connected.
type neighbour struct {
	d    *Directory
	node storage.NodeID

	mu    sync.Mutex
	up    bool
	asked map[question]deadlines
	lossy time.Duration // since when pushes were dropped that the node was not told of; 0: none was
	told  time.Duration // when it was told the last time
}

// question is a request by its asker: a process of this node, and its number.
type question struct {
	process string
	request uint32
}

type deadlines struct {
	park   time.Duration // if it comes back undone
	answer time.Duration
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
		n = &neighbour{d: d, node: node, asked: make(map[question]deadlines)}
		d.neighbours[node] = n
	}
	return n
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
	n.mu.Unlock()
	n.push(envelope(&actorpb.Leading{Led: d.led()}, nil).toProcess(ownProcess))
	d.uncertain(node, d.elapsed())
}

// uncertain says that pushes of a node to this one may have been lost, since a
// time or since the node was last heard of.
func (d *Directory) uncertain(node storage.NodeID, since time.Duration) {
	for shard := range d.stripes {
		s := &d.stripes[shard]
		s.mu.Lock()
		if s.route.node != node {
			s.mu.Unlock()
			continue
		}
		refused, heard := d.unpark(s), s.route.heard
		s.mu.Unlock()
		d.refuse(refused...)
		if heard > 0 {
			heard = max(min(heard, since), 1)
		}
		d.herald.movedSince(storage.ShardID(shard), heard)
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

// Down says that a node is no longer connected: what it was asked has an
// unknown outcome.
func (d *Directory) Down(node storage.NodeID) {
	n := d.neighbour(node)
	n.mu.Lock()
	asked := n.asked
	n.up, n.asked = false, make(map[question]deadlines)
	n.mu.Unlock()
	for q := range asked {
		d.answer(q, errUnknown)
	}
	d.herald.down(node, d.elapsed())
}

func (d *Directory) answer(q question, err error) {
	d.o.System.Root.Send(actor.NewPID(d.o.System.Address(), q.process), refused(q.request, err))
}

func refused(request uint32, err error) *actorpb.Refused {
	return &actorpb.Refused{Request: request, Error: wirepb.FromError("request", err)}
}

func (n *neighbour) connected() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}

// sendAway sends a message to the node that leads its shard. False: the node is
// not connected. An error: too much waits for it.
func (d *Directory) sendAway(node storage.NodeID, m parked) (bool, error) {
	e := envelope(m.message, m.sender).to(m.id)
	if e.Type == 0 {
		return false, errNobody
	}
	n := d.neighbour(node)
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up {
		return false, nil
	}
	q, tracked := question{e.Sender, e.Request}, e.Sender != "" && e.Request != 0
	if tracked {
		n.asked[q] = deadlines{m.until, d.elapsed() + answerTime}
	}
	if d.o.Peers.Send(node, e.message()) {
		return true, nil
	}
	if tracked {
		delete(n.asked, q)
	}
	if d.o.Peers.Queued(node) == 0 {
		return false, nil // its Down is on the way
	}
	return false, errBusy
}

// settle ends a question; false when it was answered before, or never asked.
func (n *neighbour) settle(q question) (deadlines, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.asked[q]
	delete(n.asked, q)
	return at, ok
}

// push sends what nobody waits for; false when the node is not connected. What
// is dropped otherwise is made up for.
func (n *neighbour) push(e *outgoing) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.up && e.Type != 0 && !n.d.o.Peers.Send(n.node, e.message()) {
		n.dropped(n.d.elapsed())
	}
	return n.up
}

// missed has the node look after what this one did not push since a time.
func (n *neighbour) missed(since time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dropped(since)
}

// dropped notes it; the neighbour is locked.
func (n *neighbour) dropped(since time.Duration) {
	if n.lossy == 0 || since < n.lossy {
		n.lossy = max(since, 1)
	}
}

// sweep refuses what the node has not answered in time, and tells it of pushes
// that it has missed.
func (n *neighbour) sweep(now time.Duration) {
	n.mu.Lock()
	var late []question
	for q, at := range n.asked {
		if at.answer <= now {
			late = append(late, q)
			delete(n.asked, q)
		}
	}
	if n.lossy != 0 && n.up && now-n.told >= toldAgain {
		n.told = now
		word := &actorpb.Dropped{AgoMs: uint64((now - n.lossy).Milliseconds())}
		if n.d.o.Peers.Send(n.node, envelope(word, nil).toProcess(ownProcess).message()) {
			n.lossy = 0
		}
	}
	n.mu.Unlock()
	for _, q := range late {
		n.d.answer(q, errUnknown)
	}
}

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

// outgoing is an envelope in the making.
type outgoing struct{ peerpb.Envelope }

// envelope packs a message; its Type is 0 when it cannot travel.
func envelope(message any, sender *actor.PID) *outgoing {
	e := &outgoing{}
	m, ok := message.(actorpb.Message)
	number := actorpb.Number(message)
	if !ok || number == 0 {
		return e
	}
	body, err := m.MarshalVT()
	if err != nil {
		panic("directory: a message of our own does not encode: " + err.Error())
	}
	e.Version, e.Type, e.Body, e.Request = actorpb.Version, number, body, actorpb.RequestOf(message)
	if sender != nil {
		e.Sender = sender.Id
	}
	return e
}

func (e *outgoing) to(id Identity) *outgoing {
	e.Identity = &peerpb.Identity{Kind: uint32(id.Kind), AppId: uint32(id.App), Chat: uint32(id.Chat), Id: []byte(id.ID), Shard: uint32(id.Number)}
	return e
}

func (e *outgoing) toProcess(id string) *outgoing {
	e.Process = id
	return e
}

func (e *outgoing) onlyLive() *outgoing {
	e.Live = true
	return e
}

func (e *outgoing) message() *peerpb.Message {
	return &peerpb.Message{Kind: peerpb.Kind_KIND_ACTOR, Envelope: &e.Envelope}
}

func identity(id *peerpb.Identity) Identity {
	return Identity{Kind: Kind(id.Kind), App: chat.AppID(id.AppId), Chat: chat.Kind(id.Chat), ID: string(id.Id), Number: storage.ShardID(id.Shard)}
}
