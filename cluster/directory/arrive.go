package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// ownProcess is what other nodes' directories call this one.
const ownProcess = "directory"

// RelayProcess is the name of the process that takes pushes for the connections
// of its node.
const RelayProcess = "relay"

// Receive takes a message of another node; it never blocks.
func (d *Directory) Receive(from storage.NodeID, m *peerpb.Message) {
	switch e := m.Envelope; {
	case e == nil:
	case m.Kind == peerpb.Kind_KIND_BOUNCED:
		d.bounced(from, e)
	case e.Identity != nil:
		d.forActor(from, e)
	default:
		d.forProcess(from, e)
	}
}

// open decodes a message; what this release does not know is answered.
func (d *Directory) open(from storage.NodeID, e *peerpb.Envelope) (actorpb.Message, bool) {
	m := actorpb.New(e.Type)
	if m != nil && m.UnmarshalVT(e.Body) == nil {
		return m, true
	}
	d.foreign.Add(1)
	d.o.Log.Debug("message of another node not understood", "node", from, "type", e.Type)
	d.back(from, e, chat.Errorf(chat.CodeUnsupported, "request", "the node that serves this user or conversation is of another release and does not know this request"))
	return nil, false
}

// Foreign counts messages of other nodes that this release does not know.
func (d *Directory) Foreign() uint64 { return d.foreign.Load() }

var errForeign = chat.Errorf(chat.CodeTimeout, "request", "the node that was asked is of another release, and its answer is not understood; the outcome is unknown")

// back refuses a request to its asker.
func (d *Directory) back(to storage.NodeID, e *peerpb.Envelope, err error) {
	if e.Request != 0 && e.Sender != "" {
		d.neighbour(to).push(envelope(actorpb.Refuse(e.Request, "request", err), nil).toProcess(e.Sender))
	}
}

// forActor posts a message to an activation of this node, or returns it undone.
func (d *Directory) forActor(from storage.NodeID, e *peerpb.Envelope) {
	m, ok := d.open(from, e)
	if !ok {
		return
	}
	id := identity(e.Identity)
	shard := d.Shard(id)
	if int(shard) >= len(d.stripes) || d.kinds[id.Kind] == nil {
		d.back(from, e, chat.Errorf(chat.CodeInvalidParam, "request", "there is no such actor"))
		return
	}
	var sender *actor.PID
	if e.Sender != "" {
		sender = actor.NewPID(string(from), e.Sender)
	}
	s := &d.stripes[shard]
	s.mu.RLock()
	a := s.live[id]
	if a != nil {
		if m, to, ok := a.pushesTo(m); ok {
			d.note(id, a, m)
			s.mu.RUnlock()
			d.push(to, m)
			return
		}
	}
	if a != nil || e.Live {
		defer s.mu.RUnlock()
		if a != nil {
			d.refuseArrived(from, e, d.post(a, m, sender), shard)
		} else if !d.leadsNow(shard) {
			d.bounce(from, e, nil) // somebody may be where it should have gone
		}
		return
	}
	s.mu.RUnlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	if a = s.live[id]; a == nil {
		var err error
		if a, err = d.activate(id); a == nil {
			d.bounce(from, e, err)
			return
		}
		s.live[id] = a
		d.live.Add(1)
	}
	d.refuseArrived(from, e, d.post(a, m, sender), shard)
}

// refuseArrived answers a message that its actor had no room for; who misses a
// push attaches again.
func (d *Directory) refuseArrived(from storage.NodeID, e *peerpb.Envelope, err error, shard storage.ShardID) {
	if err == nil {
		return
	}
	d.back(from, e, err)
	if e.Live {
		d.notifier.moved(shard)
	}
}

// bounce returns a message undone: this node does not lead the shard.
func (d *Directory) bounce(to storage.NodeID, e *peerpb.Envelope, err error) {
	if err != nil {
		d.back(to, e, err)
		return
	}
	if !d.o.Peers.Send(to, &peerpb.Message{Kind: peerpb.Kind_KIND_BOUNCED, Envelope: e}) && e.Live {
		d.PushAgain(identity(e.Identity).User(), 0) // its sender believes that it got through
	}
}

// bounced sends a message that came back to whoever leads, or has it wait.
func (d *Directory) bounced(from storage.NodeID, e *peerpb.Envelope) {
	if e.Live {
		d.bouncedLive(from, e)
		return
	}
	at, ok := d.neighbour(from).settle(question{e.Sender, e.Request})
	if !ok || e.Identity == nil {
		return // nobody waits for it any more
	}
	m := actorpb.New(e.Type)
	if m == nil || m.UnmarshalVT(e.Body) != nil {
		return
	}
	again := parked{id: identity(e.Identity), message: m, sender: actor.NewPID(d.o.System.Address(), e.Sender), until: at.park}
	s := &d.stripes[d.Shard(again.id)]
	s.mu.Lock()
	s.forgetRoute(from)
	err := d.placeOrPark(s, again)
	s.mu.Unlock()
	if err != nil {
		d.refuse(refusal{again.sender, m, err})
	}
}

// bouncedLive takes a push that went to a node which does not lead: who does is
// notified at once, if that is known by now, else when it is.
func (d *Directory) bouncedLive(from storage.NodeID, e *peerpb.Envelope) {
	if e.Identity == nil {
		return
	}
	shard := d.Shard(identity(e.Identity))
	if int(shard) >= len(d.stripes) {
		return
	}
	s := &d.stripes[shard]
	s.mu.Lock()
	s.forgetRoute(from)
	node := s.route.node
	s.mu.Unlock()
	s.miss(d.elapsed())
	if node != "" {
		d.tellMissed(shard)
	}
}

// forProcess hands a message to a connection, an actor that asked something, or
// another process of this node.
func (d *Directory) forProcess(from storage.NodeID, e *peerpb.Envelope) {
	q, asked := question{e.Process, e.Request}, false
	if e.Request != 0 {
		if _, asked = d.neighbour(from).settle(q); !asked && e.Sender == "" {
			return // the asker has heard that the outcome is unknown
		}
	}
	m, ok := d.open(from, e)
	if !ok {
		if asked {
			d.answer(q, errForeign)
		}
		return
	}
	if e.Process == ownProcess {
		d.own(from, m)
		return
	}
	process, ok := d.o.System.ProcessRegistry.GetLocal(e.Process)
	if !ok {
		return
	}
	var sender *actor.PID
	if e.Sender != "" {
		sender = actor.NewPID(string(from), e.Sender)
	}
	process.SendUserMessage(actor.NewPID(d.o.System.Address(), e.Process), &actor.MessageEnvelope{Message: m, Sender: sender})
}

// own takes what another node's directory says.
func (d *Directory) own(from storage.NodeID, m actorpb.Message) {
	switch m := m.(type) {
	case *actorpb.Leading:
		d.Heard(from, m)
	case *actorpb.PushAgain:
		d.pushAgain(m)
	case *actorpb.LookAgain:
		d.lookAgain(m)
	case *actorpb.Dropped:
		d.uncertain(from, d.elapsed()-time.Duration(m.AgoMs)*time.Millisecond)
	}
}
