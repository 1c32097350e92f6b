package session

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// rechecks are the looks after pushes that may have been lost, when the leader of
// the conversations does not know which. The newest message of each conversation
// that changed since is pushed again: a client skips what it has, and a message
// that is not the next one makes it ask for those before.
type rechecks struct {
	busy bool               // the user's set is being read
	next *directory.Recheck // what came meanwhile
	// checked is when the last recheck began, came when the last device came:
	// conversations that open after them are looked at too.
	checked, came time.Time
}

// recheckLook is a question to one shard.
type recheckLook struct {
	shard storage.ShardID
	keys  []chat.ConversationKey
	since time.Duration
	asked time.Time
	until time.Time // what is newer needs no push; zero: all does
}

// recheckRead brings the user's conversations.
type recheckRead struct {
	what directory.Recheck
	keys []chat.ConversationKey
	err  error
}

// How long conversations that open are looked at: effects that make them the
// user's wait for as long as shards have no leader.
const (
	openedAfterRecheck = time.Minute
	openedAfterAttach  = 5 * time.Second
)

// openedSince is how far a conversation that opens is looked back at: all that it
// holds is new to the user.
const openedSince = 24 * time.Hour

// recheckAgain is about how long a look that failed waits for the next one.
const recheckAgain = 500 * time.Millisecond

// recheck begins with the user's own shard. A nil set of shards means all.
func (s *session) recheck(ctx actor.Context, m directory.Recheck) {
	if len(s.devices) == 0 { // nobody to push to
		s.dropTable()
		s.nextPage(ctx)
		return
	}
	s.rechecks.checked = time.Now()
	if s.rechecks.busy {
		s.rechecks.add(m)
		return
	}
	s.takeHeads()
	s.nextPage(ctx) // the table may have to be read again
	if s.lists.table != nil {
		s.lookAt(ctx, m, s.lists.table.in(s.o.Replicator.Shards(), m.Shards))
		return
	}
	s.rechecks.busy = true
	s.busy++
	root, self := s.o.System.Root, ctx.Self()
	read := recheckRead{what: m}
	shards := s.o.Replicator.Shards()
	s.o.Replicator.Read(s.act.Shard, s.asker(storage.Repair), func(v storage.View) error {
		return v.Memberships(s.user, func(k chat.ConversationKey, _ chat.Membership) bool {
			if m.Shards == nil || m.Shards[storage.ConversationShard(shards, k)] {
				read.keys = append(read.keys, k)
			}
			return true
		})
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
}

// lookAtOpened looks at a conversation that has just become one of the user's, if its
// first message may not have reached a device: what committed it may not have
// come to push it, and the recheck after that did not know of the
// conversation; or it came before the device, whose list did not show it.
func (s *session) lookAtOpened(ctx actor.Context, m directory.Opened) {
	r := &s.rechecks
	l := recheckLook{
		shard: storage.ConversationShard(s.o.Replicator.Shards(), m.Conversation), keys: []chat.ConversationKey{m.Conversation},
		since: openedSince, asked: time.Now(),
	}
	s.openInTable(m.Conversation)
	switch {
	case len(s.devices) == 0:
	case time.Since(r.checked) < openedAfterRecheck:
		s.recheckLook(ctx, l)
	case time.Since(r.came) < openedAfterAttach:
		l.until = s.o.Now().Add(-time.Since(r.came))
		s.recheckLook(ctx, l)
	}
}

// add merges what comes while the set is being read.
func (r *rechecks) add(m directory.Recheck) {
	if r.next == nil {
		r.next = &m
		return
	}
	merged := directory.Recheck{Since: max(r.next.Since, m.Since)}
	if r.next.Shards != nil && m.Shards != nil {
		merged.Shards = maps.Clone(r.next.Shards)
		maps.Copy(merged.Shards, m.Shards)
	}
	r.next = &merged
}

// lookAtChanged asks each shard that holds some of the conversations.
func (s *session) lookAtChanged(ctx actor.Context, m recheckRead) {
	s.busy--
	s.rechecks.busy = false
	if m.err != nil {
		s.recheckLater(ctx, m.what)
	}
	s.lookAt(ctx, m.what, m.keys)
	if next := s.rechecks.next; next != nil {
		s.rechecks.next = nil
		s.recheck(ctx, *next)
	}
}

func (s *session) lookAt(ctx actor.Context, m directory.Recheck, all []chat.ConversationKey) {
	looks := make(map[storage.ShardID][]chat.ConversationKey)
	for _, k := range all {
		shard := storage.ConversationShard(s.o.Replicator.Shards(), k)
		looks[shard] = append(looks[shard], k)
	}
	for shard, keys := range looks {
		s.recheckLook(ctx, recheckLook{shard: shard, keys: keys, since: m.Since, asked: time.Now()})
	}
}

func (s *session) recheckLook(ctx actor.Context, l recheckLook) {
	m := &actorpb.Look{AppId: uint32(s.user.App), SinceMs: s.o.Now().Add(-l.since).UnixMilli()}
	for _, k := range l.keys {
		m.Conversations = append(m.Conversations, logpb.FromKey(k))
	}
	if err := s.ask(ctx, l.shard, l, m); err != nil {
		l.fail(s, ctx, err)
	}
}

// answer implements question: what has changed is pushed.
func (l recheckLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	for i, h := range m.Heads {
		if h.Last == nil || i >= len(l.keys) {
			continue
		}
		last, head := h.Last.Chat(), h.GetHead().Chat()
		s.onTable(func(t *table) { t.head(l.keys[i], directory.HeadOf(&head)) })
		if !l.until.IsZero() && last.Time >= l.until.UnixMilli() {
			continue
		}
		s.act.Push(&actorpb.Deliver{Frame: wirepb.MessagePush(wirepb.FromEntry(l.keys[i], &last))})
	}
}

// fail implements question: it is asked again, as long as a device is there.
func (l recheckLook) fail(s *session, ctx actor.Context, _ error) {
	missed := l.since + time.Since(l.asked)
	s.recheckLater(ctx, directory.Recheck{Shards: map[storage.ShardID]bool{l.shard: true}, Since: missed})
}

func (recheckLook) stop(*session) {} // nobody waits

func (s *session) recheckLater(ctx actor.Context, m directory.Recheck) {
	m.Since += 2 * recheckAgain
	root, self := s.o.System.Root, ctx.Self()
	time.AfterFunc(recheckAgain/2+rand.N(recheckAgain), func() { root.Send(self, m) })
}
