package conversation_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// large is a body near the limit for text; eight of them are a proposal.
var large = strings.Repeat("x", 30_000)

func TestAProposalIsCutByItsBytes(t *testing.T) {
	w := newWorld(t)
	w.send(1, "first")
	under := next(t, w.log.proposals)
	for request := range uint32(20) {
		w.send(2+request, large)
	}
	for _, want := range []int{8, 8, 4} {
		under.done(storage.Outcome{}, chat.Errorf(chat.CodeUnavailable, "test", "never stored"))
		under = next(t, w.log.proposals)
		if len(under.bodies) != want {
			t.Errorf("a proposal has %d messages of %d bytes, want %d", len(under.bodies), len(large), want)
		}
	}
}

func TestWhatWaitsIsBoundedByItsBytes(t *testing.T) {
	w := newWorld(t)
	w.send(1, "first")
	under := next(t, w.log.proposals)
	const fit = 4<<20/30_000 + 1 // the last one passes the bound
	for request := range uint32(fit) {
		w.send(2+request, large)
	}
	w.send(1000, large)
	if code := w.alice.refused(t, 1000); code != chat.CodeBusy {
		t.Errorf("a send above the bound is refused with %d", code)
	}
	under.done(storage.Outcome{}, chat.Errorf(chat.CodeUnavailable, "test", "never stored"))
	w.alice.refused(t, 1)
	under = next(t, w.log.proposals) // what is in it waits no longer
	w.send(1001, large)
	under.done(storage.Outcome{}, chat.Errorf(chat.CodeUnavailable, "test", "never stored"))
	for i := range under.bodies {
		w.alice.refused(t, uint32(2+i)) // and not 1001, which waits
	}
}
