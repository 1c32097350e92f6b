package conversation

import (
	"bytes"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// kept is a table that keeps its newest row, and finds it under any key.
type kept[K comparable, V any] struct {
	row V
	ok  bool
}

func (t *kept[K, V]) Get(K) (V, bool) { return t.row, t.ok }
func (t *kept[K, V]) Put(_ K, row V)  { t.row, t.ok = row, true }
func (t *kept[K, V]) Delete(K)        {}

// dropped are dedupe rows that nobody asks for again.
type dropped struct{}

func (dropped) Get(chat.DedupeKey) (chat.Dedupe, bool)              { return chat.Dedupe{}, false }
func (dropped) Put(chat.DedupeKey, chat.Dedupe)                     {}
func (dropped) DropBelow(c chat.ConversationKey, last, floor int64) {}

// BenchmarkFrameToPush does what a leader's node does for a message with its
// bytes, without disk and actors: the frame is taken apart and checked, the send
// decoded, checked and proposed, applied, written as a row and pushed.
func BenchmarkFrameToPush(b *testing.B) {
	for name, m := range map[string]benchMessage{
		"plain": {body: 200},
		"rich":  {body: 200, extended: 64, mentions: []string{"user-000001", "user-000002"}},
	} {
		b.Run(name, func(b *testing.B) {
			frame := m.frame(b)
			key := chat.PeerConversation(1, "user-000123", "user-000124")
			heads, entries := &kept[chat.ConversationKey, chat.Head]{ok: true}, &kept[chat.EntryKey, chat.Entry]{}
			heads.row.Seq = 1
			state := &chat.State{Heads: heads, Entries: entries, Dedupes: dropped{}}
			limits, row, now := chat.DefaultLimits(), new(logpb.Entry), int64(1_796_071_211_696)
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				now++
				q, err := wire.Split(frame)
				if err != nil {
					b.Fatal(err)
				}
				if err = method.ByNumber(q.Method).Request.Check(q.Body); err != nil {
					b.Fatal(err)
				}
				w := new(wirepb.SendMessage)
				if err := w.UnmarshalVT(q.Body); err != nil {
					b.Fatal(err)
				}
				send := benchSend(b, w, key, now, limits)
				if _, err := logpb.EncodeProposal(chat.Version, now, 7, uint64(now), []chat.CommandBody{send}); err != nil {
					b.Fatal(err)
				}
				res, _ := chat.Apply(state, chat.Command{Version: chat.Version, Time: now, Body: send})
				if res.Err != nil {
					b.Fatal(res.Err)
				}
				row.Set(&entries.row)
				size := row.SizeVT()
				if cap(buf) < size {
					buf = make([]byte, size)
				}
				if _, err := row.MarshalToSizedBufferVT(buf[:size]); err != nil {
					b.Fatal(err)
				}
				wirepb.EntryPush(key, &entries.row, res.Sent.MessageID)
			}
		})
	}
}

type benchMessage struct {
	body, extended int
	mentions       []string
}

func (m benchMessage) frame(b *testing.B) []byte {
	content := wirepb.EncodeContent(&chat.Message{
		Priority: 2, Body: bytes.Repeat([]byte("x"), m.body), ExtendedData: string(bytes.Repeat([]byte("e"), m.extended)), MentionedUserIDs: m.mentions,
	})
	frame, err := wire.Proto{}.EncodeClient(&wirepb.ClientFrame{Id: 300, Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "user-000124"},
		ClientMessageId: make([]byte, 16), IssuedAtMs: 1_796_071_211_696, Type: 1, Content: content,
	}}})
	if err != nil {
		b.Fatal(err)
	}
	return frame
}

func benchSend(b *testing.B, w *wirepb.SendMessage, key chat.ConversationKey, now int64, limits chat.Limits) *chat.Send {
	send := &chat.Send{
		Conversation: key, Sender: "user-000123", ClientMessageID: chat.ClientMessageID(w.ClientMessageId), IssuedAt: now,
		Type: chat.MessageType(w.Type), Content: w.Content, Window: limits.Dedupe,
	}
	if err := wirepb.CheckContent("send", send.Type, w.Content, limits); err != nil {
		b.Fatal(err)
	}
	return send
}
