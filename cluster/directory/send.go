package directory

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
)

// Send puts a message into the mailbox of the identity's actor, activating it
// if need be. sender gets the answers. Errors: CodeUnavailable when this node
// does not lead the shard (nothing was done), CodeBusy when the mailbox is
// full.
func (d *Directory) Send(id Identity, message any, sender *actor.PID) error {
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	if a := s.live[id]; a != nil {
		defer s.mu.RUnlock()
		return d.post(a, message, sender)
	}
	s.mu.RUnlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.live[id]
	if a == nil {
		var err error
		if a, err = d.activate(id); err != nil {
			return err
		}
		s.live[id] = a
		d.live.Add(1)
	}
	return d.post(a, message, sender)
}

// SendLive is Send for what only matters to an actor that is already there: it
// activates nobody and tells whether the message was posted.
func (d *Directory) SendLive(id Identity, message any) bool {
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.live[id]
	return a != nil && d.post(a, message, nil) == nil
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
)

func (d *Directory) activate(id Identity) (*activation, error) {
	if d.closing.Load() {
		return nil, errClosing
	}
	shard := d.Shard(id)
	term, err := d.o.Replicator.Leader(shard)
	if err != nil {
		return nil, err
	}
	a := &activation{mailbox: newMailbox()}
	produce := d.kinds[id.Kind]
	props := actor.PropsFromProducer(
		func() actor.Actor {
			return produce(Activation{Identity: id, Shard: shard, Term: term, Directory: d})
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

// Release takes the calling activation off the directory and stops it, unless
// its mailbox holds something: then it says false, and the actor goes on. Only
// the actor itself may call it, from Receive, with no work of its own under
// way.
func (d *Directory) Release(act Activation, ctx actor.Context) bool {
	s := &d.stripes[act.Shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.live[act.Identity]
	if a == nil || !a.pid.Equal(ctx.Self()) {
		return false
	}
	if a.mailbox.UserMessageCount() > 0 {
		return false
	}
	delete(s.live, act.Identity)
	d.live.Add(-1)
	ctx.Stop(ctx.Self())
	return true
}

// forget drops an activation that stopped by itself, or with the system.
func (d *Directory) forget(id Identity, pid *actor.PID) {
	s := &d.stripes[d.Shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.live[id]; a != nil && a.pid.Equal(pid) {
		delete(s.live, id)
		d.live.Add(-1)
	}
}
