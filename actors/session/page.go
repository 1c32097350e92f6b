package session

import (
	"cmp"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
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
	request *listRequest
	table   *table
	rows    []row // copies, in order
	chunk   int   // how many rows are read together
	read    int   // how many of rows were, or are being, read
	looks   int   // under way
	bytes   int
	from    int                    // first row of the chunk
	shown   []*wirepb.Conversation // by place in rows; nil: nothing to show
	more    bool                   // rows are left
}

// beginPage takes the page's rows from the table.
func (s *session) beginPage(ctx actor.Context, p *page) {
	list, t := p.request.list, s.lists.table
	p.table = t
	if p.request.whole() {
		from := 0
		if key := list.GetBeforeOrderKey(); key > 0 {
			from = t.after(key, list.GetBefore().GetId())
		}
		p.rows, p.more = t.page(from, int(list.GetCount()), list.GetChangedSinceMs(), list.GetPinnedOnly())
	} else {
		for _, k := range s.only(list) {
			if r := t.find(k); r != nil {
				p.rows = append(p.rows, *r)
			} else {
				p.rows = append(p.rows, row{key: k})
			}
		}
	}
	s.continuePage(ctx, p)
}

// continuePage reads the next rows' messages and profiles, or sends the page.
func (s *session) continuePage(ctx actor.Context, p *page) {
	if p.read == len(p.rows) || !p.fits() {
		s.lists.page = nil
		p.request.call.Answer(p.finish())
		s.tidy()
		s.nextPage(ctx)
		return
	}
	p.from, p.read = p.read, min(p.read+p.chunk, len(p.rows))
	p.chunk *= 2
	if s.readDrafts(p) {
		p.looks++
	}
	for shard, look := range s.planChunk(p) {
		if err := s.ask(ctx, shard, look, look.message(s)); err != nil {
			s.failPage(ctx, p, err)
			return
		}
		p.looks++
	}
}

// failPage refuses the request.
func (s *session) failPage(ctx actor.Context, p *page, err error) {
	s.lists.page = nil
	p.request.call.Refuse(err)
	s.nextPage(ctx)
}

// fits says that further rows may fit. Those of only some conversations always do.
func (p *page) fits() bool { return !p.request.whole() || p.bytes <= maxListBytes }

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
		key, peer := p.rows[at].key, p.rows[at].id(s.user.ID)
		p.shown = append(p.shown, &wirepb.Conversation{Ref: &wirepb.ConversationRef{Kind: wirepb.ConversationKind(key.Kind), Id: peer}})
		c := of(storage.ConversationShard(shards, key))
		c.conversations = append(c.conversations, at)
		u := of(storage.UserShard(shards, chat.UserKey{App: s.user.App, ID: peer}))
		u.users = append(u.users, at)
	}
	return plan
}

// finish gives the page of the rows that were read, cut to its bytes.
func (p *page) finish() *wirepb.ListConversationsReply {
	out := &wirepb.ListConversationsReply{Complete: !p.more && p.read == len(p.rows)}
	bytes := 0
	for _, c := range p.shown {
		if c.LastMessage == nil {
			continue
		}
		bytes += size(c)
		if p.request.whole() && len(out.Conversations) > 0 && bytes > maxListBytes {
			out.Complete = false
			break
		}
		out.Conversations = append(out.Conversations, c)
	}
	// What was said meanwhile may have moved a conversation up.
	slices.SortFunc(out.Conversations, func(a, b *wirepb.Conversation) int {
		return cmp.Or(cmp.Compare(b.OrderKey, a.OrderKey), cmp.Compare(a.Ref.Id, b.Ref.Id))
	})
	if p.request.whole() {
		unread := p.table.unread
		out.TotalUnread = &unread
	}
	return out
}

func size(c *wirepb.Conversation) int {
	return len(c.LastMessage.Content) + 512
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
		m.Conversations = append(m.Conversations, logpb.FromKey(k.p.rows[at].key))
	}
	for _, at := range k.users {
		m.Users = append(m.Users, k.p.rows[at].id(s.user.ID))
	}
	return m
}

func (k *pageLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	p := k.p
	switch p.looks--; {
	case s.lists.page != p: // it has failed, or whoever asked has gone
		s.nextPage(ctx)
		return
	case len(m.Heads) != len(k.conversations) || len(m.Users) != len(k.users):
		s.failPage(ctx, p, errMisread)
		return
	}
	for n, at := range k.conversations {
		r, c, last, head := &p.rows[at], p.shown[at], m.Heads[n].Last.Chat(), m.Heads[n].GetHead().Chat()
		if m.Heads[n].Last == nil || head.Seq == 0 { // nothing was ever said there
			continue
		}
		p.show(s.user.ID, r, directory.HeadOf(&head))
		c.HeadSeq, c.Unread, c.ReadSeq, c.OrderKey = r.seq, r.unread(), r.mark, r.orderKey
		c.Pinned, c.Muted = r.pinned, r.muted
		c.LastMessage = wirepb.FromEntry(r.key, &last)
		p.bytes += size(c)
	}
	for n, at := range k.users {
		p.shown[at].Name, p.shown[at].AvatarUrl = m.Users[n].GetUser().GetName(), m.Users[n].GetUser().GetAvatarUrl()
	}
	if p.looks == 0 {
		s.continuePage(ctx, p)
	}
}

// show brings a page's row up to date, and the table's with it.
func (p *page) show(user string, r *row, h directory.Head) {
	r.take(user, h)
	if t := p.table; t != nil {
		t.head(r.key, h)
		if kept := t.find(r.key); kept != nil && kept.seq == r.seq {
			*r = *kept
		}
	}
}

func (k *pageLook) fail(s *session, ctx actor.Context, err error) {
	if k.p.looks--; s.lists.page == k.p {
		s.failPage(ctx, k.p, err)
	}
}

func (*pageLook) stop(*session) {}
