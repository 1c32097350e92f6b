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
				full := func() *wirepb.SendMessage {
					s := text("bob", strings.Repeat("x", limits.TextBytes))
					s.ExtendedData, s.SearchedContent = strings.Repeat("\x01", limits.ExtendedDataBytes), strings.Repeat("\x01", limits.SearchedBytes)
					for range chat.MaxMentions {
						s.MentionedUserIds = append(s.MentionedUserIds, strings.Repeat("b", chat.MaxUserIDBytes))
					}
					return s
				}
				if ack := alice.sent(full()); ack.Seq != 1 {
					t.Errorf("what is within the limits got %v", ack)
				}
				for what, grow := range map[string]func(*wirepb.SendMessage){
					"text":          func(s *wirepb.SendMessage) { s.Body = append(s.Body, 'x') },
					"custom":        func(s *wirepb.SendMessage) { s.Type, s.Body = 200, bytes.Repeat([]byte("x"), limits.CustomBytes+1) },
					"command":       func(s *wirepb.SendMessage) { s.Type, s.Body = 2, bytes.Repeat([]byte("x"), limits.CommandBytes+1) },
					"extended data": func(s *wirepb.SendMessage) { s.ExtendedData += "\x01" },
					"searched":      func(s *wirepb.SendMessage) { s.SearchedContent += "\x01" },
				} {
					s := full()
					grow(s)
					if e := alice.ask(sendFrame(s)).GetError(); e.GetCode() != uint32(chat.CodeInvalidParam) {
						t.Errorf("one byte of %s too much got %v", what, e)
					}
				}
				_ = alice.ws.Close(websocket.StatusNormalClosure, "")
			})
		}
	}
}
