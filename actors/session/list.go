package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Bounds of a list request.
const (
	maxListed = 500
	maxOnly   = 100
)

// listing is one list request on its way: the user's set was read, the shards
// of its conversations and of the other users are being looked at, one batch a
// shard.
type listing struct {
	from    *actor.PID
	ask     *actorpb.List
	rows    []listed
	looks   map[uint32]look // by request
	waiting int
}

// listed is one conversation in the making.
type listed struct {
	key  chat.ConversationKey
	peer string
	mark chat.Mark
	head chat.Head
	last *chat.Entry
	user chat.User
}

// look is what one shard was asked: rows by index.
type look struct {
	conversations []int
	users         []int
}

type membershipsRead struct {
	listing *listing
	err     error
}

// list begins with the user's own shard.
func (s *session) list(ctx actor.Context, m *actorpb.List) {
	if err := checkList(m.GetList()); err != nil {
		refuse(s.o.System.Root, ctx.Sender(), m.Request, "list conversations", err)
		return
	}
	l := &listing{from: ctx.Sender(), ask: m, looks: make(map[uint32]look)}
	root, self := s.o.System.Root, ctx.Self()
	s.pending++
	s.reading[l] = struct{}{}
	s.o.Replicator.Read(s.act.Shard, func(v storage.View) error {
		return l.readSet(v, s.user)
	}, func(err error) {
		root.Send(self, membershipsRead{l, err})
	})
}

func checkList(l *wirepb.ListConversations) error {
	only := l.GetOnly()
	if len(only) > maxOnly {
		return chat.Errorf(chat.CodeInvalidParam, "list conversations", "%d conversations are asked for; at most %d are allowed", len(only), maxOnly)
	}
	if len(only) == 0 && (l.GetCount() < 1 || l.GetCount() > maxListed) {
		return chat.Errorf(chat.CodeInvalidParam, "list conversations", "count is %d; 1 to %d are allowed", l.GetCount(), maxListed)
	}
	return nil
}

// readSet reads the marks of the user's conversations: all, or only those that
// were asked for. One asked for that is not in the set yet, because the effect
// that puts it there is on its way, counts as unread.
func (l *listing) readSet(v storage.View, u chat.UserKey) error {
	add := func(k chat.ConversationKey, m chat.Membership) bool {
		if peer, ok := k.Other(u.ID); ok {
			l.rows = append(l.rows, listed{key: k, peer: peer, mark: m.Mark})
		}
		return true
	}
	only := l.ask.List.GetOnly()
	if len(only) == 0 {
		return v.Memberships(u, add)
	}
	for _, ref := range only {
		if ref.GetKind() != wirepb.ConversationKind_CONVERSATION_KIND_PEER || chat.CheckUserID("list", ref.GetId()) != nil || ref.GetId() == u.ID {
			continue
		}
		k := chat.PeerConversation(u.App, u.ID, ref.GetId())
		m, _, err := v.Membership(u, k)
		if err != nil {
			return err
		}
		add(k, m)
	}
	return nil
}

// membershipsRead looks at every shard that holds something of the list.
func (s *session) membershipsRead(ctx actor.Context, m membershipsRead) {
	s.pending--
	l := m.listing
	delete(s.reading, l)
	if m.err != nil {
		refuse(s.o.System.Root, l.from, l.ask.Request, "list conversations", m.err)
		return
	}
	for shard, lk := range s.plan(l) {
		s.requests++
		if s.listings == nil {
			s.listings = make(map[uint32]*listing)
		}
		s.listings[s.requests], l.looks[s.requests] = l, lk
		l.waiting++
		if err := s.act.Directory.Send(directory.ShardOf(shard), l.message(s.requests, lk), ctx.Self()); err != nil {
			s.dropListing(l, err)
			return
		}
	}
	if l.waiting == 0 {
		s.finish(l)
	}
}

// plan groups the rows by the shards that know about them.
func (s *session) plan(l *listing) map[storage.ShardID]look {
	shards := s.o.Replicator.Shards()
	plan := make(map[storage.ShardID]look)
	for i, r := range l.rows {
		c := storage.ConversationShard(shards, r.key)
		lk := plan[c]
		lk.conversations = append(lk.conversations, i)
		plan[c] = lk
		u := storage.UserShard(shards, chat.UserKey{App: s.user.App, ID: r.peer})
		lk = plan[u]
		lk.users = append(lk.users, i)
		plan[u] = lk
	}
	return plan
}

func (l *listing) message(request uint32, lk look) *actorpb.Look {
	m := &actorpb.Look{Request: request, AppId: l.ask.AppId}
	for _, i := range lk.conversations {
		m.Conversations = append(m.Conversations, logpb.FromKey(l.rows[i].key))
	}
	for _, i := range lk.users {
		m.Users = append(m.Users, l.rows[i].peer)
	}
	return m
}

// seen is a shard's answer, to a listing or to a mark.
func (s *session) seen(ctx actor.Context, m *actorpb.Seen) {
	if mk, ok := s.marking[m.Request]; ok {
		delete(s.marking, m.Request)
		s.headSeen(ctx, mk, m)
		return
	}
	if l, ok := s.rechecks.looks[m.Request]; ok {
		delete(s.rechecks.looks, m.Request)
		s.recheckSeen(ctx, l, m)
		return
	}
	l := s.listings[m.Request]
	if l == nil {
		return
	}
	delete(s.listings, m.Request)
	l.take(l.looks[m.Request], m)
	if l.waiting--; l.waiting == 0 {
		s.finish(l)
	}
}

func (l *listing) take(lk look, m *actorpb.Seen) {
	for n, i := range lk.conversations {
		l.rows[i].head = m.Heads[n].GetHead().Chat()
		if m.Heads[n].Last != nil {
			last := m.Heads[n].Last.Chat()
			l.rows[i].last = &last
		}
	}
	for n, i := range lk.users {
		l.rows[i].user = m.Users[n].GetUser().Chat()
	}
}

// refused is a shard's refusal.
func (s *session) refused(ctx actor.Context, m *actorpb.Refused) {
	if _, ok := s.rechecks.looks[m.Request]; ok {
		s.recheckFailed(ctx, m.Request)
		return
	}
	err := chat.Errorf(chat.Code(m.GetError().GetCode()), "read", "%s", m.GetError().GetMessage())
	if mk, ok := s.marking[m.Request]; ok {
		delete(s.marking, m.Request)
		refuse(s.o.System.Root, mk.from, mk.ask.Request, "clear unread", err)
	}
	if l := s.listings[m.Request]; l != nil {
		s.dropListing(l, err)
	}
}

func (s *session) dropListing(l *listing, err error) {
	for request := range l.looks {
		delete(s.listings, request)
	}
	refuse(s.o.System.Root, l.from, l.ask.Request, "list conversations", err)
}
