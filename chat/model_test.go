package chat_test

import (
	"bytes"

	"github.com/parley-im/parley/chat"
)

// model says what sending must do, in the words of the promise and not in
// those of the code: it keeps every accepted message for ever and looks
// through all of them.
type model struct {
	logs   map[chat.ConversationKey][]accepted
	floors map[chat.ConversationKey]int64
}

type accepted struct {
	send     chat.Send
	seq      uint64
	time     int64
	orderKey uint64
}

// verdict is what the model expects of one send.
type verdict struct {
	code      chat.Code // 0: accepted, or a duplicate
	duplicate bool
	as        accepted
}

func newModel() *model {
	return &model{logs: map[chat.ConversationKey][]accepted{}, floors: map[chat.ConversationKey]int64{}}
}

// sweepEvery is how often the window moves, in messages.
const sweepEvery = 64

func (m *model) send(now int64, b chat.Send) verdict {
	log, floor := m.logs[b.Conversation], m.floors[b.Conversation]
	if _, ok := b.Conversation.Other(b.Sender); !ok {
		return verdict{code: chat.CodeInvalidParam}
	}
	var last accepted
	if len(log) > 0 {
		last = log[len(log)-1]
	}
	now = max(now, last.time)
	switch {
	case b.IssuedAt < 1, b.IssuedAt > now+300_000:
		return verdict{code: chat.CodeInvalidParam}
	case b.IssuedAt < floor:
		return verdict{code: chat.CodeDedupeWindowPassed}
	}
	for _, a := range log {
		if a.send.Sender != b.Sender || a.send.ClientMessageID != b.ClientMessageID || a.send.IssuedAt != b.IssuedAt {
			continue
		}
		if a.send.Type != b.Type || !bytes.Equal(a.send.Content, b.Content) {
			return verdict{code: chat.CodeIDConflict}
		}
		return verdict{duplicate: true, as: a}
	}
	a := accepted{send: b, seq: last.seq + 1, time: now, orderKey: max(last.orderKey+1, uint64(now)*1000)}
	log = append(log, a)
	m.logs[b.Conversation] = log
	if n := b.Window.Messages; a.seq%sweepEvery == 0 && a.seq > n {
		m.floors[b.Conversation] = max(floor, min(now-b.Window.Age.Milliseconds(), log[a.seq-n-1].time))
	}
	return verdict{as: a}
}

// unread counts by hand what user has not read past a mark.
func (m *model) unread(c chat.ConversationKey, user string, read uint64) (n uint64) {
	for _, a := range m.logs[c] {
		if a.seq > read && a.send.Sender != user {
			n++
		}
	}
	return n
}
