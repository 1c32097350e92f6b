package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// settings are what the user has set for a conversation. A draft may be long: rows
// only know that there is one.
type settings struct{ pinned, muted, drafted bool }

func settingsOf(m chat.Membership) settings { return settings{m.Pinned, m.Muted, m.Draft != ""} }

func (s *session) updateConversation(call *ask.Call, q *wirepb.UpdateConversation) (*wirepb.UpdateConversationReply, error) {
	return nil, s.withHead(call, q.Conversation, func(_ actor.Context, key chat.ConversationKey, _ chat.Head) {
		command := chat.UpdateConversation{User: s.user, Conversation: key, Pinned: q.Pinned, Muted: q.Muted, Draft: q.Draft}
		s.write(call, command, func(_ actor.Context, r chat.Result) {
			m := r.Membership
			s.settleInTable(key, settingsOf(*m))
			now := &wirepb.ConversationSettings{Conversation: q.Conversation, Pinned: m.Pinned, Muted: m.Muted, Draft: m.Draft}
			call.Answer(&wirepb.UpdateConversationReply{Settings: now})
			s.pushToOthers(call, &wirepb.ServerFrame{Body: &wirepb.ServerFrame_ConversationChanged{
				ConversationChanged: &wirepb.ConversationChanged{Settings: now}}})
		})
	})
}

// settleInTable notes what the user has set.
func (s *session) settleInTable(k chat.ConversationKey, now settings) {
	s.openInTable(k)
	s.onTable(func(t *table) {
		if row := t.find(k); row != nil {
			row.settings = now
		}
	})
}

// draftsRead brings the drafts of a page's rows, by place in the page.
type draftsRead struct {
	page   *page
	drafts map[int]string
	err    error
}

// readDrafts reads those of a page's chunk that there are; false when there are
// none.
func (s *session) readDrafts(p *page) bool {
	read := draftsRead{page: p, drafts: make(map[int]string)}
	keys := make(map[int]chat.ConversationKey)
	for at := p.from; at < p.read; at++ {
		if p.rows[at].drafted {
			keys[at] = p.rows[at].key
		}
	}
	if len(keys) == 0 {
		return false
	}
	root, self := s.o.System.Root, s.self
	s.busy++
	s.o.Replicator.Read(s.act.Shard, s.asker(storage.Client), func(v storage.View) error {
		for at, k := range keys {
			m, _, err := v.Membership(s.user, k)
			if err != nil {
				return err
			}
			read.drafts[at] = m.Draft
		}
		return nil
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
	return true
}

func (s *session) takeDrafts(ctx actor.Context, m draftsRead) {
	s.busy--
	p := m.page
	p.looks--
	switch {
	case s.lists.page != p:
		s.nextPage(ctx)
	case m.err != nil:
		s.failPage(ctx, p, m.err)
	default:
		for at, draft := range m.drafts {
			p.shown[at].Draft = draft
			p.bytes += len(draft)
		}
		if p.looks == 0 {
			s.continuePage(ctx, p)
		}
	}
}
