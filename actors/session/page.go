package session

import (
	"cmp"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

const (
	// maxListBytes bounds a page of conversations; it always holds one.
	maxListBytes = 512 << 10
	// firstChunk is how many rows' messages and profiles are read at first. Each
	// further time it is twice as many, until the page is full.
	firstChunk = 32
)

// page is the answer to a request in the making.
type page struct {
	l       *listing
	request *listRequest
	rows    []int // by index, in order
	chunk   int   // how many rows are read together
	read    int   // how many of rows were, or are being, read
	looks   int   // under way
	bytes   int
	from    int                    // first row of the chunk
	shown   []*wirepb.Conversation // by place in rows; nil: nothing to show
	more    bool                   // rows are left
}

// beginPage answers the first request of a listing whose heads are known.
func (s *session) beginPage(ctx actor.Context, l *listing) {
	p := &page{l: l, request: l.requests[0], chunk: firstChunk}
	p.choose()
	s.continuePage(ctx, p)
}

// choose picks the rows of the page, the newest first.
func (p *page) choose() {
	list := p.request.list
	only := len(list.GetOnly()) > 0
	count := int(list.GetCount())
	if only {
		count = len(p.l.rows)
	}
	for i := range p.l.rows {
		r := &p.l.rows[i]
		if r.seq == 0 || !only && (uint64(r.time) < list.GetChangedSinceMs() || !after(list, r)) {
			continue
		}
		if len(p.rows) == count && p.compare(p.rows[count-1], i) < 0 {
			p.more = true
			continue
		}
		at, _ := slices.BinarySearchFunc(p.rows, i, p.compare)
		p.rows = slices.Insert(p.rows, at, i)
		if len(p.rows) > count {
			p.rows, p.more = p.rows[:count], true
		}
	}
	p.shown = make([]*wirepb.Conversation, len(p.rows))
}

func (p *page) compare(i, j int) int {
	a, b := &p.l.rows[i], &p.l.rows[j]
	return cmp.Or(cmp.Compare(b.orderKey, a.orderKey), cmp.Compare(a.peer, b.peer))
}

// after tells whether a row comes after the one that the request continues from.
func after(list *wirepb.ListConversations, r *row) bool {
	key := list.GetBeforeOrderKey()
	return key == 0 || r.orderKey < key || r.orderKey == key && r.peer > list.GetBefore().GetId()
}

// continuePage reads the next rows' messages and profiles, or sends the page. When
// who asked has gone the listing goes on.
func (s *session) continuePage(ctx actor.Context, p *page) {
	switch {
	case len(p.l.requests) == 0 || p.l.requests[0] != p.request:
		s.continueListing(ctx, p.l)
		return
	case p.read == len(p.rows) || !p.fits():
		p.l.requests = p.l.requests[1:]
		p.request.call.Answer(p.finish())
		s.continueListing(ctx, p.l)
		return
	}
	p.from, p.read = p.read, min(p.read+p.chunk, len(p.rows))
	p.chunk *= 2
	for shard, look := range s.planChunk(p) {
		if err := s.ask(ctx, shard, look, look.message(s)); err != nil {
			s.failListing(ctx, p.l, err)
			return
		}
		p.looks++
		p.l.looks++
	}
}

// fits says that further rows may fit. Those of only some conversations always do.
func (p *page) fits() bool { return len(p.request.list.GetOnly()) > 0 || p.bytes <= maxListBytes }

// planChunk groups the rows of a chunk by the shards that know about them.
func (s *session) planChunk(p *page) map[storage.ShardID]*pageLook {
	shards := s.o.Replicator.Shards()
	plan := make(map[storage.ShardID]*pageLook)
	of := func(shard storage.ShardID) *pageLook {
		if plan[shard] == nil {
			plan[shard] = &pageLook{p: p}
		}
		return plan[shard]
	}
	for at := p.from; at < p.read; at++ {
		r := &p.l.rows[p.rows[at]]
		p.shown[at] = &wirepb.Conversation{Ref: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: r.peer}}
		c := of(storage.ConversationShard(shards, s.key(r)))
		c.conversations = append(c.conversations, at)
		u := of(storage.UserShard(shards, chat.UserKey{App: s.user.App, ID: r.peer}))
		u.users = append(u.users, at)
	}
	return plan
}

// finish gives the page of the rows that were read, cut to its bytes.
func (p *page) finish() *wirepb.ListConversationsReply {
	only := len(p.request.list.GetOnly()) > 0
	out := &wirepb.ListConversationsReply{Complete: !p.more && p.read == len(p.rows)}
	bytes := 0
	for _, c := range p.shown[:p.read] {
		if c == nil || c.LastMessage == nil {
			continue
		}
		bytes += size(c)
		if !only && len(out.Conversations) > 0 && bytes > maxListBytes {
			out.Complete = false
			break
		}
		out.Conversations = append(out.Conversations, c)
	}
	// What was said meanwhile may have moved a conversation up.
	slices.SortStableFunc(out.Conversations, func(a, b *wirepb.Conversation) int { return cmp.Compare(b.OrderKey, a.OrderKey) })
	if !only {
		unread := p.l.unread
		out.TotalUnread = &unread
	}
	return out
}

func size(c *wirepb.Conversation) int {
	return len(c.LastMessage.Body) + len(c.LastMessage.ExtendedData) + 512
}

// pageLook is what one shard is asked for a page: last messages and profiles, by
// place in the page.
type pageLook struct {
	p             *page
	conversations []int
	users         []int
}

func (k *pageLook) message(s *session) *actorpb.Look {
	m := &actorpb.Look{AppId: uint32(s.user.App)}
	for _, at := range k.conversations {
		m.Conversations = append(m.Conversations, logpb.FromKey(s.key(&k.p.l.rows[k.p.rows[at]])))
	}
	for _, at := range k.users {
		m.Users = append(m.Users, k.p.l.rows[k.p.rows[at]].peer)
	}
	return m
}

func (k *pageLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	p := k.p
	p.looks--
	p.l.looks--
	if len(m.Heads) != len(k.conversations) || len(m.Users) != len(k.users) {
		s.failListing(ctx, p.l, errMisread)
		return
	}
	for n, at := range k.conversations {
		if m.Heads[n].Last == nil {
			continue
		}
		r, c, last := &p.l.rows[p.rows[at]], p.shown[at], m.Heads[n].Last.Chat()
		p.l.unread += s.update(r, m.Heads[n])
		c.HeadSeq, c.Unread, c.ReadSeq, c.OrderKey = r.seq, r.unread, r.mark.Seq, r.orderKey
		c.LastMessage = wirepb.FromEntry(s.key(r), &last)
		p.bytes += size(c)
	}
	for n, at := range k.users {
		p.shown[at].Name, p.shown[at].AvatarUrl = m.Users[n].GetUser().GetName(), m.Users[n].GetUser().GetAvatarUrl()
	}
	if p.looks == 0 {
		s.continuePage(ctx, p)
	}
}

func (k *pageLook) fail(s *session, ctx actor.Context, err error) {
	k.p.looks--
	k.p.l.looks--
	s.failListing(ctx, k.p.l, err)
}

func (*pageLook) stop(*session) {}
