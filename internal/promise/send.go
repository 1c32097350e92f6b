package promise

import (
	"bytes"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// windows are what an operator may set one after the other: the floor must not
// run back when one is widened.
var windows = []chat.DedupeWindow{
	{Age: 40 * time.Millisecond, Messages: 30}, {Age: 5 * time.Millisecond, Messages: 10}, {Age: time.Second, Messages: 100},
}

// sweepEvery is how often the window moves, in messages.
const sweepEvery = 64

// drawSend draws a new message, most likely; or one with an id that was used
// before, or with a time that is off, or the same once more.
func drawSend(t *rapid.T, w *World) (uint16, *chat.Send, bool) {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if kind == 0 && len(w.tried) > 0 {
		again := rapid.SampledFrom(w.tried).Draw(t, "again")
		return w.ofConversation(again.Conversation), &again, true
	}
	c := chat.Send{
		Conversation: Conversations[max(0, rapid.IntRange(-9, len(Conversations)-1).Draw(t, "conversation"))],
		Sender:       rapid.SampledFrom([]string{"a", "b", "a", "b", "a", "b", "cc"}).Draw(t, "sender"),
		IssuedAt:     w.now - rapid.Int64Range(0, 3).Draw(t, "age"),
		Window:       rapid.SampledFrom(windows).Draw(t, "window"),
		Type:         chat.TypeText,
		Content:      []byte("same"),
	}
	c.ClientMessageID[0] = byte(rapid.IntRange(0, 3).Draw(t, "id"))
	switch kind {
	case 1:
		c.Type = rapid.SampledFrom([]chat.MessageType{chat.TypeText, chat.TypeCustom}).Draw(t, "type")
		c.Content = rapid.SliceOfN(rapid.Byte(), 1, 2).Draw(t, "content")
	case 2:
		c.IssuedAt = w.now + rapid.SampledFrom([]int64{-w.now - 1, -w.now, -500, -60, -41, 299_999, 300_000, 300_001}).Draw(t, "off")
	case 3, 4: // most likely the id of another one
	default:
		n := len(w.tried)
		c.ClientMessageID[1], c.ClientMessageID[2], c.ClientMessageID[3] = 1+byte(n), byte(n>>8), byte(n>>16)
		c.Salt[0], c.Salt[15] = c.ClientMessageID[1], c.ClientMessageID[0]
	}
	w.tried = append(w.tried, c)
	return w.ofConversation(c.Conversation), &c, true
}

// send: a message is stored once, at the next seq, however often it is sent; what
// can no longer be told from a new one is refused, as is an id that was used for
// something else. Time and order key never run back. The first message puts the
// conversation into both lists; to repeat it does so for the sender once more.
func (w *World) send(s *Shard, now int64, c *chat.Send) Want {
	l := s.logs[c.Conversation]
	head := l.head(c.Conversation)
	if _, ok := c.Conversation.Other(c.Sender); !ok {
		return refused(chat.CodeInvalidParam)
	}
	now = max(now, head.Time)
	switch {
	case c.IssuedAt < 1, c.IssuedAt > now+300_000:
		return refused(chat.CodeInvalidParam)
	case c.IssuedAt < l.floor:
		return refused(chat.CodeDedupeWindowPassed)
	}
	for i := range l.said {
		if first := &l.said[i]; first.Sender == c.Sender && first.ClientMessageID == c.ClientMessageID && first.IssuedAt == c.IssuedAt {
			return w.again(s, c, first, &l.entries[i])
		}
	}
	e := chat.Entry{
		Kind: chat.EntryMessage, Type: c.Type, Seq: head.Seq + 1, Sender: c.Sender, Time: now, OrderKey: max(head.OrderKey+1, uint64(now)*1000),
		Counted: head.Seq + 1, Own: 1 + l.own(c.Sender, head.Seq),
		ClientMessageID: c.ClientMessageID, IssuedAt: c.IssuedAt, Salt: c.Salt, Content: c.Content,
	}
	l.entries, l.said = append(l.entries, e), append(l.said, *c)
	l.hash = chat.VerifyChain(l.hash, c.Conversation, []chat.Entry{e})
	if n := c.Window.Messages; e.Seq%sweepEvery == 0 && e.Seq > n {
		l.floor = max(l.floor, min(now-c.Window.Age.Milliseconds(), l.entries[e.Seq-n-1].Time))
	}
	s.logs[c.Conversation] = l
	res := chat.Result{Sent: sentAs(c.Conversation, &e)}
	if e.Seq == 1 {
		first, second, _ := c.Conversation.Peers()
		res.Effects = []chat.EffectRef{w.open(s, c.Conversation, first), w.open(s, c.Conversation, second)}
	}
	return Want{Result: res, Events: []chat.Event{chat.Appended{Conversation: c.Conversation, Entry: e}}}
}

// again is a send whose id was used before. Of what was recalled nobody knows any
// more what it said.
func (w *World) again(s *Shard, c, first *chat.Send, e *chat.Entry) Want {
	if erased := e.Kind == chat.EntryErased; first.Type != c.Type || !erased && !bytes.Equal(first.Content, c.Content) {
		return refused(chat.CodeIDConflict)
	}
	res := chat.Result{Sent: sentAs(c.Conversation, e)}
	res.Sent.Duplicate = true
	if e.Seq == 1 {
		res.Effects = []chat.EffectRef{w.open(s, c.Conversation, c.Sender)}
	}
	return Want{Result: res}
}

func sentAs(c chat.ConversationKey, e *chat.Entry) chat.Sent {
	return chat.Sent{MessageID: chat.MessageID(c, e.Seq), Seq: e.Seq, OrderKey: e.OrderKey, Time: e.Time}
}
