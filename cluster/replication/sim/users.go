package sim

import (
	"fmt"

	"github.com/parley-im/parley/chat"
)

// makeProfile gives a user a name that no other call gives, by either command.
func (o *op) makeProfile() {
	o.kind, o.name = opProfile, fmt.Sprint("name ", o.number)
	o.commands = []chat.CommandBody{chat.Login{User: o.user(), Name: o.name}}
	if o.number/2%2 == 0 {
		o.commands = []chat.CommandBody{chat.UpdateUser{User: o.user(), Name: &o.name}}
	}
}

// checkUsers checks what was acknowledged to the users of a shard against its
// final rows.
func (r *run) checkUsers(s *shardState, have rows) {
	for i, c := range s.conversations {
		first, second, _ := c.Peers()
		for side, id := range []string{first, second} {
			u := chat.UserKey{App: 1, ID: id}
			r.checkName(s, u, have.users[2*i+side].Name)
			r.checkMark(s, i, u, have.memberships[2*i+side].Mark.Seq)
		}
	}
}

// checkName wants the name of a call that no later one has replaced. Of a call that
// was repeated, an attempt may have come after what its client did next.
func (r *run) checkName(s *shardState, u chat.UserKey, name string) {
	var gave, newest *op
	for _, o := range r.ops {
		if o.shard != s || o.kind != opProfile || o.user() != u {
			continue
		}
		if o.name == name {
			gave = o
		}
		if o.answered != 0 && (newest == nil || o.called > newest.called) {
			newest = o
		}
	}
	switch {
	case gave == nil && (name != "" || newest != nil):
		r.violate("shard %d: %s is called %q, which nobody asked for or is not the last", s.id, u.ID, name)
	case gave == nil:
	case gave.refused:
		r.violate("op %d on shard %d was refused, and %s is called %q", gave.number, s.id, u.ID, name)
	case gave.answered != 0 && gave.attempts == 1 && newest.called > gave.answered:
		r.violate("op %d on shard %d was acknowledged, and %s is called %q as before", newest.number, s.id, u.ID, name)
	}
}

// checkMark wants a mark that somebody set, and none before one that was
// acknowledged.
func (r *run) checkMark(s *shardState, conversation int, u chat.UserKey, seq uint64) {
	asked := seq == 0
	for _, o := range r.ops {
		if o.shard != s || o.kind != opMark || o.conversation != conversation || o.user() != u {
			continue
		}
		asked = asked || o.mark == seq && !o.refused
		if o.answered != 0 && o.mark > seq {
			r.violate("op %d on shard %d: %s has read up to %d, the final mark is %d", o.number, s.id, u.ID, o.mark, seq)
		}
	}
	if !asked {
		r.violate("shard %d conversation %d: nobody asked for the mark %d of %s", s.id, conversation, seq, u.ID)
	}
}
