package session

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// maxListBytes bounds a page of conversations; it always holds one.
const maxListBytes = 512 << 10

// finish orders the rows, cuts the page that was asked for, and answers.
func (s *session) finish(l *listing) {
	ask := l.ask.List
	rows := slices.DeleteFunc(l.rows, func(r listed) bool { return r.last == nil })
	slices.SortFunc(rows, newestFirst)

	page := &wirepb.ConversationPage{Complete: true}
	only := len(ask.GetOnly()) > 0
	bytes, total := 0, uint64(0)
	for i := range rows {
		r := &rows[i]
		unread := r.head.Unread(r.key, s.user.ID, r.mark)
		total += unread
		if !only && (uint64(r.head.Time) < ask.GetChangedSinceMs() || !behind(ask, r)) {
			continue
		}
		bytes += len(r.last.Message.Body) + len(r.last.Message.ExtendedData) + 512
		n := len(page.Conversations)
		if !only && (n >= int(ask.GetCount()) || n > 0 && bytes > maxListBytes) {
			page.Complete = false
			continue // the others count as unread
		}
		page.Conversations = append(page.Conversations, conversation(r, unread))
	}
	if !only {
		page.TotalUnread = &total
	}
	s.o.System.Root.Send(l.from, &actorpb.Listed{Request: l.ask.Request, Page: page})
}

func newestFirst(a, b listed) int {
	return cmp.Or(cmp.Compare(b.head.OrderKey, a.head.OrderKey), cmp.Compare(a.peer, b.peer))
}

// behind tells whether a row stands behind the one that the request continues
// from.
func behind(ask *wirepb.ListConversations, r *listed) bool {
	key := ask.GetBeforeOrderKey()
	return key == 0 || r.head.OrderKey < key || r.head.OrderKey == key && r.peer > ask.GetBefore().GetId()
}

func conversation(r *listed, unread uint64) *wirepb.Conversation {
	return &wirepb.Conversation{
		Ref:  &wirepb.ConversationRef{Kind: wirepb.ConversationKind(r.key.Kind), Id: r.peer},
		Name: r.user.Name, AvatarUrl: r.user.AvatarURL, HeadSeq: r.head.Seq, Unread: unread, ReadSeq: r.mark.Seq,
		OrderKey: r.head.OrderKey, LastMessage: wirepb.FromEntry(r.key, r.last),
	}
}
