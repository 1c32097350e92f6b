package node_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/proto/wirepb"
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
			page := bob.history(&wirepb.QueryMessages{Conversation: to("alice"), Count: 100, MaxBytes: c.max, NewestFirst: newest})
			if len(page.Messages) != c.want || page.LastSeq-page.FirstSeq+1 != uint64(c.want) {
				t.Errorf("%d bytes, newest first %t: %d messages, %d to %d; want %d", c.max, newest, len(page.Messages), page.FirstSeq, page.LastSeq, c.want)
			}
			if end := map[bool]uint64{false: page.FirstSeq, true: messages + 1 - page.LastSeq}[newest]; end != 1 {
				t.Errorf("%d bytes, newest first %t: the page begins at the other end: %d to %d", c.max, newest, page.FirstSeq, page.LastSeq)
			}
		}
	}
}
