package directory

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
)

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

// forget drops an activation that has stopped. One that did so by itself, after a
// panic, may leave messages, which go to the next one, and devices without
// pushes.
func (d *Directory) forget(id Identity, a *activation) {
	shard := d.Shard(id)
	s := &d.stripes[shard]
	s.mu.Lock()
	died := s.live[id] == a
	if died {
		delete(s.live, id)
		d.live.Add(-1)
	}
	refused := d.moveOn(s, id, a.mailbox.drain())
	s.mu.Unlock()
	d.refuse(refused...)
	if died && !d.closing.Load() {
		d.died(id, shard)
	}
}

// moveOn hands the requests among messages that nobody has handled to whoever
// serves the identity now. An answer, which has no sender, is to a question of the
// activation that has gone: the next one may have asked something else under its
// number. The stripe is locked.
func (d *Directory) moveOn(s *stripe, id Identity, messages []any) (refused []refusal) {
	for _, m := range messages {
		_, message, sender := actor.UnwrapEnvelope(m)
		if actorpb.RequestOf(message) == 0 || sender == nil {
			continue
		}
		if err := d.placeOrPark(s, parked{id: id, message: message, sender: sender, until: d.elapsed() + parkTime}); err != nil {
			refused = append(refused, refusal{sender, message, err})
		}
	}
	return refused
}
