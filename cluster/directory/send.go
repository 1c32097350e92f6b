package directory

import (
	"time"

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
		m := parked{id: id, message: message, sender: sender, until: d.elapsed() + parkTime}
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
	m := parked{id: id, message: message, sender: sender, until: d.elapsed() + parkTime}
	if len(s.parked) > 0 {
		return d.park(s, m)
	}
	if done, err := d.place(s, m); done || err != nil {
		return err
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
// activates nobody and waits for nobody. What is dropped is made up for by a
// Recheck on the node that leads the shard, as soon as that is known. An actor of
// this node that is deaf to the origin is spared.
func (d *Directory) SendLive(id Identity, message any, origin string) {
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.live[id]; a != nil {
		if !a.deafTo(origin) && d.post(a, message, nil) != nil {
			d.herald.moved(d.Shard(id)) // its devices miss a push
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

// miss notes that a push was dropped as nobody who leads could be reached.
func (s *stripe) miss(at time.Duration) { s.missed.CompareAndSwap(0, int64(max(at, 1))) }

// Late says that conversations of a shard which this node leads have changed so
// long ago without a push.
func (d *Directory) Late(shard storage.ShardID, ago time.Duration) {
	since := max(d.elapsed()-ago, 1)
	d.herald.movedSince(shard, since)
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, n := range d.neighbours {
		n.missed(since)
	}
}

// tellMissed has whoever leads a shard make up for pushes of this node that were
// dropped.
func (d *Directory) tellMissed(shard storage.ShardID, node storage.NodeID) {
	since := time.Duration(d.stripes[shard].missed.Swap(0))
	switch {
	case since == 0:
	case node != d.o.Node:
		d.neighbour(node).missed(since)
	default: // the conversations that they were of are here too
		for s := 1; s < len(d.stripes); s++ {
			if d.leadsNow(storage.ShardID(s)) {
				d.herald.movedSince(storage.ShardID(s), since)
			}
		}
	}
}

func (d *Directory) post(a *activation, message any, sender *actor.PID) error {
	if a.mailbox.full() {
		return errBusy
	}
	a.used.Store(d.now.Load())
	d.o.System.Root.RequestWithCustomSender(a.pid, message, sender)
	return nil
}

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
		actor.WithReceiverMiddleware(d.watch(id)),
		// Restart after every panic: a supervisor that gives up, as the default
		// one does after ten, loses what the mailbox holds.
		actor.WithGuardian(actor.RestartingSupervisorStrategy()),
	)
	a.pid, err = d.o.System.Root.SpawnNamed(props, d.name(id, term))
	if err != nil {
		return nil, chat.Errorf(chat.CodeInternal, "activate", "%w", err)
	}
	return a, nil
}
