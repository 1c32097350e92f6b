package directory

import "github.com/asynkron/protoactor-go/actor"

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
