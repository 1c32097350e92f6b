package promise

import (
	"crypto/sha256"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// drawRecall draws the recall of any entry, or of one that is not there; mostly by
// whoever sent it.
func drawRecall(t *rapid.T, w *World) (uint16, chat.Recall, bool) {
	key := rapid.SampledFrom(Conversations).Draw(t, "conversation")
	c := chat.Recall{
		Conversation: key, Sender: rapid.SampledFrom([]string{"a", "b", "cc"}).Draw(t, "sender"),
		Window: rapid.SampledFrom([]time.Duration{0, 0, 30 * time.Millisecond}).Draw(t, "window"),
	}
	entries := w.shards[w.ofConversation(key)].logs[key].entries
	back := rapid.IntRange(-1, len(entries)).Draw(t, "back")
	c.Seq = uint64(len(entries) - back)
	if i := int(c.Seq) - 1; 0 <= i && i < len(entries) && rapid.IntRange(0, 9).Draw(t, "another's") < 9 {
		c.Sender = entries[i].Sender
	}
	return w.ofConversation(key), c, true
}

// recall: who sent a message may erase it, not too late. Its place, its numbers and
// the chain stay; nothing stays of what it said but a salted hash. Changes are
// numbered without gaps; to recall again is none.
func (w *World) recall(s *Shard, now int64, c chat.Recall) Want {
	l := s.logs[c.Conversation]
	i := slices.IndexFunc(l.entries, func(e chat.Entry) bool { return e.Seq == c.Seq && e.Sender == c.Sender })
	if i < 0 {
		return refused(chat.CodeNoSuchMessage)
	}
	e := &l.entries[i]
	if e.Kind == chat.EntryErased {
		return Want{Result: chat.Result{Rev: e.Rev}}
	}
	newest := l.entries[len(l.entries)-1].Time
	if c.Window > 0 && max(now, newest) > e.Time+c.Window.Milliseconds() {
		return refused(chat.CodeTooLate)
	}
	l.changes = append(l.changes, chat.Change{Seq: c.Seq, What: chat.ChangeErased})
	content := sha256.Sum256(e.Content)
	e.Kind, e.Rev, e.Inner = chat.EntryErased, uint64(len(l.changes)), sha256.Sum256(append(e.Salt[:], content[:]...))
	e.Salt, e.Content = [16]byte{}, nil
	s.logs[c.Conversation] = l
	return Want{Result: chat.Result{Rev: e.Rev}, Events: []chat.Event{chat.Changed{Conversation: c.Conversation, Entry: *e}}}
}

// checkChanges wants a row for each change, and no more; without all, for the last.
func (l *log) checkChanges(c chat.ConversationKey, rows *chat.State, all bool) error {
	for i := len(l.changes); i >= 0; i-- {
		key := chat.ChangeKey{Conversation: c, Rev: uint64(i + 1)}
		got, there := rows.Changes.Get(key)
		var want chat.Change
		if i < len(l.changes) {
			want = l.changes[i]
		}
		if err := same(key, got, there, want, i < len(l.changes)); err != nil {
			return err
		}
		if !all && i < len(l.changes) {
			_, err := l.checkEntry(c, int(want.Seq)-1, rows)
			return err
		}
	}
	return nil
}
