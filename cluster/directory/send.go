package directory

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Send has the identity's actor receive a message, on whichever node leads its
// shard, activating it if need be. sender gets the answers. While nobody is
// known to lead, the message waits for a moment. An error says that nothing was
// done: CodeBusy when too much waits, CodeUnavailable when a message that cannot
// travel is for a shard of another node.
func (d *Directory) Send(id Identity, message any, sender *actor.PID) error {
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	if a := s.live[id]; a != nil {
		defer s.mu.RUnlock()
		return d.post(a, message, sender)
	}
	if len(s.parked) == 0 && d.away(s.route.node) {
		m := parked{id: id, message: message, sender: sender, until: d.elapsed() + patience(message)}
		sent, err := d.sendAway(s.route.node, m)
		s.mu.RUnlock()
		if sent || err != nil {
			return err
		}
	} else {
		s.mu.RUnlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return d.placeOrPark(s, parked{id: id, message: message, sender: sender, until: d.elapsed() + patience(message)})
}

// placeOrPark hands a message on, or has it wait after those that wait already.
// The stripe is locked.
func (d *Directory) placeOrPark(s *stripe, m parked) error {
	if len(s.parked) == 0 {
		if done, err := d.place(s, m); done || err != nil {
			return err
		}
	}
	return d.park(s, m)
}

// place hands a message on if anybody can take it. The stripe is locked.
func (d *Directory) place(s *stripe, m parked) (done bool, err error) {
	a := s.live[m.id]
	if a == nil {
		if d.away(s.route.node) {
			return d.sendAway(s.route.node, m)
		}
		if a, err = d.activate(m.id); a == nil {
			return false, err
		}
		s.live[m.id] = a
		d.live.Add(1)
	}
	return true, d.post(a, m.message, m.sender)
}

// SendLive is Send for what only matters to an actor that is already there: it
// activates nobody and waits for nobody. When it is dropped, the node that leads
// the shard does a Recheck as soon as it is known.
func (d *Directory) SendLive(id Identity, message any) {
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	a := s.live[id]
	if a != nil {
		if m, to, ok := a.pushesTo(message); ok {
			d.note(id, a, m)
			s.mu.RUnlock()
			d.push(to, m)
			return
		}
	}
	defer s.mu.RUnlock()
	if a != nil {
		if d.post(a, message, nil) != nil {
			d.notifier.moved(d.Shard(id)) // its devices miss a push
		}
		return
	}
	if d.away(s.route.node) {
		if d.neighbour(s.route.node).push(envelope(message, nil).to(id).onlyLive()) {
			return
		}
	} else if d.leadsNow(d.Shard(id)) {
		return // nobody is there
	}
	s.miss(d.elapsed())
}

func (d *Directory) leadsNow(shard storage.ShardID) bool {
	_, err := d.o.Replicator.Leader(shard)
	return err == nil
}

// post puts a message into an activation's mailbox, and not to its PID: that one
// is gone a moment before a panicked actor is forgotten, which hands on what its
// mailbox holds. The stripe is locked.
func (d *Directory) post(a *activation, message any, sender *actor.PID) error {
	if a.mailbox.full() {
		return errBusy
	}
	a.used.Store(d.now.Load())
	a.mailbox.PostUserMessage(&actor.MessageEnvelope{Message: message, Sender: sender})
	return nil
}

// stopFailed is for what fails outside of a handler: see watch.
var stopFailed = actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })

var (
	errBusy    = chat.Errorf(chat.CodeBusy, "send to actor", "too many requests wait for this user or conversation; try again later")
	errClosing = chat.Errorf(chat.CodeUnavailable, "send to actor", "the node is shutting down")
	errNobody  = chat.Errorf(chat.CodeUnavailable, "send to actor", "no node serves this user or conversation at the moment; try again")
	errUnknown = chat.Errorf(chat.CodeTimeout, "send to actor", "the node that was asked did not answer; the outcome is unknown")
)

// activate makes the identity's actor if this node leads its shard, and gives
// nil without an error if it does not.
func (d *Directory) activate(id Identity) (*activation, error) {
	if d.closing.Load() {
		return nil, errClosing
	}
	shard := d.Shard(id)
	term, err := d.o.Replicator.Leader(shard)
	if err != nil {
		return nil, nil
	}
	a := &activation{mailbox: newMailbox()}
	produce := d.kinds[id.Kind]
	props := actor.PropsFromProducer(
		func() actor.Actor {
			return produce(Activation{Identity: id, Shard: shard, Term: term, Directory: d, activation: a})
		},
		actor.WithMailbox(func() actor.Mailbox { return a.mailbox }),
		actor.WithDispatcher(d.workers),
		actor.WithReceiverMiddleware(d.watch(id, a)),
		actor.WithGuardian(stopFailed),
	)
	a.pid, err = d.o.System.Root.SpawnNamed(props, d.name(id, term))
	if err != nil {
		return nil, chat.Errorf(chat.CodeInternal, "activate", "%w", err)
	}
	return a, nil
}
