package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestAPageKeepsToTheBytesThatTheClientAskedFor(t *testing.T) {
	n, _ := start(t, options(t))
	bob, alice := login(t, n, "bob"), login(t, n, "alice")
	const messages, body = 10, 10_000
	for range messages {
		alice.sent(text("bob", strings.Repeat("x", body)))
	}
	for _, c := range []struct {
		max  uint32
		want int
	}{{0, messages}, {1 << 30, messages}, {3 * (body + 500), 3}, {body / 2, 1}} {
		for _, newest := range []bool{false, true} {
			page := bob.history(&wirepb.History{Conversation: to("alice"), Count: 100, MaxBytes: c.max, NewestFirst: newest})
			if len(page.Messages) != c.want || page.LastSeq-page.FirstSeq+1 != uint64(c.want) {
				t.Errorf("%d bytes, newest first %t: %d messages, %d to %d; want %d", c.max, newest, len(page.Messages), page.FirstSeq, page.LastSeq, c.want)
			}
			if end := map[bool]uint64{false: page.FirstSeq, true: messages + 1 - page.LastSeq}[newest]; end != 1 {
				t.Errorf("%d bytes, newest first %t: the page begins at the other end: %d to %d", c.max, newest, page.FirstSeq, page.LastSeq)
			}
		}
	}
}

func TestADeviceMayComeBackUntilItsTokensEnd(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "alice")
	h := hello(app, "alice", token(t, app, secret, "alice", 20*time.Second))
	h.Resume = true
	p := dial(t, n, wire.Proto{})
	p.welcome(h)
	if f, _ := p.read(); f.GetTokenExpiring().GetSeconds() == 0 {
		t.Errorf("it got %v and not the notice of the token's end", f)
	}
	h.Resume = false
	p = dial(t, n, wire.Proto{})
	p.say(helloFrame(h))
	if r, _ := p.read(); r.GetError().GetCode() != uint32(chat.CodeTokenTooShort) {
		t.Errorf("a new login got %v", r)
	}
}
