package session

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Bounds of list requests.
const (
	maxListed       = 500
	maxOnly         = 100
	maxWaitingLists = 16 // of a user; more are refused as Busy
)

// lists are the user's list requests, and the table that answers them. One page is
// made at a time, however many devices ask. Requests for the whole list wait until
// the table has been read.
type lists struct {
	waiting []*listRequest
	page    *page    // being made
	reading *reading // of the table, under way
	table   *table   // nil until somebody has asked for it
	opened  []uint32 // rows of the table whose heads may not be known
	counted int      // rows of the table that count for the node
	asked   time.Time
}

type listRequest struct {
	call *ask.Call
	list *wirepb.ListConversations
}

func (r *listRequest) whole() bool { return len(r.list.GetOnly()) == 0 }

func (s *session) list(call *ask.Call, q *wirepb.ListConversations) (*wirepb.ListConversationsReply, error) {
	if err := checkList(q); err != nil {
		return nil, err
	}
	if len(s.lists.waiting) >= maxWaitingLists {
		return nil, chat.Errorf(chat.CodeBusy, "list conversations", "%d lists are asked for already; wait for one before the next", maxWaitingLists)
	}
	s.lists.waiting = append(s.lists.waiting, &listRequest{call, q})
	s.nextPage(call.Context)
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

// dropLists forgets the requests of connections that have gone.
func (s *session) dropLists(gone func(*actor.PID) bool) {
	ls := &s.lists
	ls.waiting = slices.DeleteFunc(ls.waiting, func(r *listRequest) bool { return gone(r.call.From()) })
	if ls.page != nil && gone(ls.page.request.call.From()) {
		ls.page = nil
	}
}

// wanted says that somebody waits for the whole list.
func (ls *lists) wanted() bool { return slices.ContainsFunc(ls.waiting, (*listRequest).whole) }

// refuseLists answers requests that wait: all, or those for the whole list.
func (s *session) refuseLists(all bool, err error) {
	ls := &s.lists
	ls.waiting = slices.DeleteFunc(ls.waiting, func(r *listRequest) bool {
		if all || r.whole() {
			r.call.Refuse(err)
			return true
		}
		return false
	})
}

// nextPage begins the page of the next request that can be answered, and the
// reading of the table when one waits for that.
func (s *session) nextPage(ctx actor.Context) {
	ls := &s.lists
	if ls.page != nil || len(ls.waiting) == 0 {
		return
	}
	s.takeHeads()
	if ls.table == nil && ls.reading == nil && ls.wanted() {
		s.beginReading()
	}
	next := slices.IndexFunc(ls.waiting, func(r *listRequest) bool { return ls.table != nil || !r.whole() })
	if next < 0 {
		return
	}
	p := &page{request: ls.waiting[next], chunk: firstChunk}
	ls.waiting = slices.Delete(ls.waiting, next, next+1)
	ls.page, ls.asked = p, time.Now()
	if ls.table == nil {
		s.readSome(p)
		return
	}
	s.readOpened(ctx, p)
}

// readOpened reads what is not known of conversations that are new to the table,
// and then begins the page.
func (s *session) readOpened(ctx actor.Context, p *page) {
	ls := &s.lists
	unknown := slices.DeleteFunc(ls.opened, func(i uint32) bool { return ls.table.rows[i].seq > 0 })
	ls.opened = nil
	if len(unknown) == 0 {
		s.beginPage(ctx, p)
		return
	}
	t := ls.table
	s.readHeads(ctx, t, unknown, func() bool { return ls.page == p }, func(ctx actor.Context, err error) {
		if err != nil && ls.table == t {
			ls.opened = append(ls.opened, unknown...)
		}
		switch {
		case ls.page != p:
		case err != nil:
			s.failPage(ctx, p, err)
		default:
			s.beginPage(ctx, p)
		}
	})
}

// someRead brings the rows of the conversations that a page was asked for.
type someRead struct {
	page *page
	rows []row
	err  error
}

// readSome reads the marks of the conversations that a request is for. One that is
// not in the user's set yet, because the effect that puts it there is on its way,
// counts as unread.
func (s *session) readSome(p *page) {
	keys := s.only(p.request.list)
	read := someRead{page: p}
	root, self := s.o.System.Root, s.self
	s.busy++
	s.o.Replicator.Read(s.act.Shard, s.asker(storage.Client), func(v storage.View) error {
		for _, k := range keys {
			m, _, err := v.Membership(s.user, k)
			if err != nil {
				return err
			}
			r := row{key: k}
			r.setMembership(m)
			read.rows = append(read.rows, r)
		}
		return nil
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
}

// showSome begins the page of conversations that were read for it.
func (s *session) showSome(ctx actor.Context, m someRead) {
	s.busy--
	switch {
	case s.lists.page != m.page:
		s.nextPage(ctx)
	case m.err != nil:
		s.failPage(ctx, m.page, m.err)
	default:
		m.page.rows = m.rows
		s.continuePage(ctx, m.page)
	}
}

// only gives the conversations that a request names, but for what cannot be one.
func (s *session) only(l *wirepb.ListConversations) (keys []chat.ConversationKey) {
	for _, ref := range l.GetOnly() {
		if ref.GetKind() == wirepb.ConversationKind_CONVERSATION_KIND_PEER && chat.CheckUserID("list", ref.GetId()) == nil && ref.GetId() != s.user.ID {
			keys = append(keys, chat.PeerConversation(s.user.App, s.user.ID, ref.GetId()))
		}
	}
	return keys
}
