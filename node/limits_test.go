package node_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// TestWhatIsOfTheAllowedLengthIsTaken sends what is just within an app's limits
// and just above them, where every byte of the strings has its longest escape.
func TestWhatIsOfTheAllowedLengthIsTaken(t *testing.T) {
	large := chat.DefaultLimits()
	large.TextBytes, large.CustomBytes, large.CommandBytes = 64<<10, 64<<10, 64<<10
	large.ExtendedDataBytes, large.SearchedBytes = 16<<10, 16<<10
	for name, limits := range map[string]chat.Limits{"default limits": chat.DefaultLimits(), "the largest limits": large} {
		for _, codec := range wire.Codecs() {
			t.Run(name+", "+codec.Name(), func(t *testing.T) {
				o := options(t)
				o.Apps[0].Limits = limits
				n, _ := start(t, o)
				login(t, n, "bob")
				alice := dial(t, n, codec)
				h := hello(app, "alice", token(t, app, secret, "alice", time.Hour))
				if w := alice.welcome(h); int(w.Limits.FrameBytes) < wire.SendBytes(limits) {
					t.Errorf("the welcome allows %d bytes a frame; a send may have %d", w.Limits.FrameBytes, wire.SendBytes(limits))
				}
				full := func() *chat.Message {
					m := &chat.Message{Type: chat.TypeText, Body: bytes.Repeat([]byte("x"), limits.TextBytes)}
					m.ExtendedData, m.SearchedContent = strings.Repeat("\x01", limits.ExtendedDataBytes), strings.Repeat("\x01", limits.SearchedBytes)
					for range chat.MaxMentions {
						m.MentionedUserIDs = append(m.MentionedUserIDs, strings.Repeat("b", chat.MaxUserIDBytes))
					}
					return m
				}
				say := func(m *chat.Message) *wirepb.SendMessage {
					s := text("bob", "")
					s.Type, s.Content = uint32(m.Type), content(*m)
					return s
				}
				if ack := alice.sent(say(full())); ack.Seq != 1 {
					t.Errorf("what is within the limits got %v", ack)
				}
				for what, grow := range map[string]func(*chat.Message){
					"text": func(m *chat.Message) { m.Body = append(m.Body, 'x') },
					"custom": func(m *chat.Message) {
						m.Type, m.Body = chat.TypeCustom, bytes.Repeat([]byte("x"), limits.CustomBytes+1)
					},
					"command": func(m *chat.Message) {
						m.Type, m.Body = chat.TypeCommand, bytes.Repeat([]byte("x"), limits.CommandBytes+1)
					},
					"extended data": func(m *chat.Message) { m.ExtendedData += "\x01" },
					"searched":      func(m *chat.Message) { m.SearchedContent += "\x01" },
				} {
					m := full()
					grow(m)
					if e := alice.ask(sendFrame(say(m))).GetError(); e.GetCode() != uint32(chat.CodeInvalidParam) {
						t.Errorf("one byte of %s too much got %v", what, e)
					}
				}
				_ = alice.ws.Close(websocket.StatusNormalClosure, "")
			})
		}
	}
}
