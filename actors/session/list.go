package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Bounds of list requests.
const (
	maxListed       = 500
	maxOnly         = 100
	maxWaitingLists = 16 // of a user; more are refused as Busy
	maxLooks        = 16 // shards that a listing asks at once
)

// lists are the user's list requests. One listing runs at a time, however many
// devices ask: each reads all that the user has.
type lists struct {
	running *listing
	waiting []*listRequest
}

type listRequest struct {
	call *ask.Call
	list *wirepb.ListConversations
}

// listing answers list requests: it reads which conversations the user has, then
// their heads, one look a shard, and then, for each request, what its page shows.
// All requests for the whole list that wait when it begins share it; a request
// for some conversations has one of its own.
type listing struct {
	requests []*listRequest // not answered yet
	rows     []row
	unread   uint64 // of all rows
	looks    int    // under way
	todo     []headLook
}

// row is a conversation of the user: what orders it and how much is unread.
type row struct {
	peer     string
	mark     chat.Mark
	seq      uint64 // 0: nothing was ever said there
	time     int64
	orderKey uint64
	unread   uint64
}

func (s *session) key(r *row) chat.ConversationKey {
	return chat.PeerConversation(s.user.App, s.user.ID, r.peer)
}

// setRead brings the user's conversations.
type setRead struct {
	listing *listing
	err     error
}

func (s *session) list(call *ask.Call, q *wirepb.ListConversations) (*wirepb.ListConversationsReply, error) {
	if err := checkList(q); err != nil {
		return nil, err
	}
	if len(s.lists.waiting) >= maxWaitingLists {
		return nil, chat.Errorf(chat.CodeBusy, "list conversations", "%d lists are asked for already; wait for one before the next", maxWaitingLists)
	}
	s.lists.waiting = append(s.lists.waiting, &listRequest{call, q})
	s.nextListing(call.Context)
	return nil, nil
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

// take gives the requests of the next listing.
func (ls *lists) take() (next []*listRequest) {
	first := ls.waiting[0]
	var rest []*listRequest
	for _, r := range ls.waiting {
		if r == first || len(first.list.GetOnly()) == 0 && len(r.list.GetOnly()) == 0 {
			next = append(next, r)
		} else {
			rest = append(rest, r)
		}
	}
	ls.waiting = rest
	return next
}

// drop forgets the requests of connections that have gone.
func (ls *lists) drop(gone func(*actor.PID) bool) {
	keep := func(all []*listRequest) (rest []*listRequest) {
		for _, r := range all {
			if !gone(r.call.From()) {
				rest = append(rest, r)
			}
		}
		return rest
	}
	ls.waiting = keep(ls.waiting)
	if ls.running != nil {
		ls.running.requests = keep(ls.running.requests)
	}
}

// all lists the requests that are not answered.
func (ls *lists) all() []*listRequest {
	if ls.running == nil {
		return ls.waiting
	}
	return append(ls.waiting, ls.running.requests...)
}

// nextListing begins a listing if one is asked for and none runs, with the user's
// own shard.
func (s *session) nextListing(_ actor.Context) {
	if s.lists.running != nil || len(s.lists.waiting) == 0 {
		return
	}
	l := &listing{requests: s.lists.take()}
	s.lists.running = l
	only := l.requests[0].list.GetOnly()
	root, self := s.o.System.Root, s.self
	s.o.Replicator.Read(s.act.Shard, s.asker(storage.Client), func(v storage.View) error {
		return s.readSet(v, l, only)
	}, func(err error) {
		root.Send(self, setRead{l, err})
	})
}

// readSet reads the marks of the user's conversations: all, or only those that
// were asked for. One asked for that is not in the set yet, because the effect
// that puts it there is on its way, counts as unread. It runs on a reader.
func (s *session) readSet(v storage.View, l *listing, only []*wirepb.ConversationRef) error {
	if len(only) == 0 {
		return v.Memberships(s.user, func(k chat.ConversationKey, m chat.Membership) bool {
			if peer, ok := k.Other(s.user.ID); ok {
				l.rows = append(l.rows, row{peer: peer, mark: m.Mark})
			}
			return true
		})
	}
	for _, ref := range only {
		if ref.GetKind() != wirepb.ConversationKind_CONVERSATION_KIND_PEER || chat.CheckUserID("list", ref.GetId()) != nil || ref.GetId() == s.user.ID {
			continue
		}
		m, _, err := v.Membership(s.user, chat.PeerConversation(s.user.App, s.user.ID, ref.GetId()))
		if err != nil {
			return err
		}
		l.rows = append(l.rows, row{peer: ref.GetId(), mark: m.Mark})
	}
	return nil
}

// lookAtHeads asks the shards that hold the conversations.
func (s *session) lookAtHeads(ctx actor.Context, m setRead) {
	l := m.listing
	if m.err != nil {
		s.failListing(ctx, l, m.err)
		return
	}
	of := make(map[storage.ShardID][]int)
	for i := range l.rows {
		shard := storage.ConversationShard(s.o.Replicator.Shards(), s.key(&l.rows[i]))
		of[shard] = append(of[shard], i)
	}
	for shard, rows := range of {
		l.todo = append(l.todo, headLook{l, shard, rows})
	}
	s.continueListing(ctx, l)
}

// continueListing asks further shards, or when all have answered goes on to the
// pages. A listing that nobody waits for ends with what is under way.
func (s *session) continueListing(ctx actor.Context, l *listing) {
	for len(l.requests) > 0 && len(l.todo) > 0 && l.looks < maxLooks {
		next := l.todo[len(l.todo)-1]
		l.todo = l.todo[:len(l.todo)-1]
		if err := s.ask(ctx, next.shard, next, next.message(s)); err != nil {
			s.failListing(ctx, l, err)
			return
		}
		l.looks++
	}
	switch {
	case l.looks > 0:
	case len(l.requests) > 0:
		s.beginPage(ctx, l)
	default:
		s.lists.running = nil
		s.nextListing(ctx)
	}
}

// failListing refuses its requests.
func (s *session) failListing(ctx actor.Context, l *listing, err error) {
	for _, r := range l.requests {
		r.call.Refuse(err)
	}
	l.requests = nil
	s.continueListing(ctx, l)
}

// headLook is what one shard is asked: the heads of rows, by index.
type headLook struct {
	l     *listing
	shard storage.ShardID
	rows  []int
}

func (h headLook) message(s *session) *actorpb.Look {
	m := &actorpb.Look{AppId: uint32(s.user.App), HeadsOnly: true}
	for _, i := range h.rows {
		m.Conversations = append(m.Conversations, logpb.FromKey(s.key(&h.l.rows[i])))
	}
	return m
}

func (h headLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	h.l.looks--
	if len(m.Heads) != len(h.rows) {
		s.failListing(ctx, h.l, errMisread)
		return
	}
	for n, i := range h.rows {
		h.l.unread += s.update(&h.l.rows[i], m.Heads[n])
	}
	s.continueListing(ctx, h.l)
}

func (h headLook) fail(s *session, ctx actor.Context, err error) {
	h.l.looks--
	s.failListing(ctx, h.l, err)
}

func (headLook) stop(*session) {} // the listing's requests are refused together

// update takes a head in and gives the difference in what is unread.
func (s *session) update(r *row, seen *actorpb.HeadSeen) uint64 {
	was := r.unread
	if head := seen.GetHead().Chat(); head.Seq > 0 {
		r.seq, r.time, r.orderKey = head.Seq, head.Time, head.OrderKey
		r.unread = head.Unread(s.key(r), s.user.ID, r.mark)
	}
	return r.unread - was
}
