package chat_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
)

func recall(sender string, seq uint64) chat.Recall {
	return chat.Recall{Conversation: peers[0], Sender: sender, Seq: seq, Window: time.Minute}
}

// TestARecalledMessageIsAPlaceholder leaves its place, its number and the chain,
// and nothing of what it said.
func TestARecalledMessageIsAPlaceholder(t *testing.T) {
	s := newShelf()
	for i := range 5 {
		b := send("ann", byte(i))
		b.Salt[0] = 1 + byte(i)
		chat.Apply(&s.State, at(1000, &b))
	}
	before := s.heads[peers[0]]
	was := s.entries[chat.EntryKey{peers[0], 3}]
	res, events := chat.Apply(&s.State, at(2000, recall("ann", 3)))
	if res.Err != nil || res.Rev != 1 || len(events) != 1 || events[0].(chat.Changed).Entry.Seq != 3 {
		t.Fatalf("%+v, %+v", res, events)
	}
	e, head := s.entries[chat.EntryKey{peers[0], 3}], s.heads[peers[0]]
	if e.Kind != chat.EntryErased || e.Content != nil || e.Salt != [16]byte{} || e.Inner == [32]byte{} || e.Rev != 1 ||
		e.Seq != 3 || e.Sender != was.Sender || e.Time != was.Time || e.OrderKey != was.OrderKey || e.Counted != was.Counted {
		t.Errorf("left is %+v", e)
	}
	if got := s.changes[chat.ChangeKey{peers[0], 1}]; got != (chat.Change{Seq: 3, What: chat.ChangeErased}) {
		t.Errorf("noted is %+v", got)
	}
	if before.Rev++; head != before {
		t.Errorf("the head is %+v, want %+v", head, before)
	}
	if chat.VerifyChain([32]byte{}, peers[0], s.log(peers[0])) != head.Hash {
		t.Error("the chain is broken")
	}
	hash := sha256.Sum256(was.Content)
	for k, row := range s.dedupe {
		if bytes.Equal(row.Content[:], hash[:]) {
			t.Errorf("the dedupe row %+v has the hash of what was said", k)
		}
	}
	again := send("ann", 2)
	if res, events := chat.Apply(&s.State, at(2000, &again)); res.Err != nil || !res.Sent.Duplicate || res.Sent.Seq != 3 || len(events) != 0 {
		t.Errorf("a retry of the message got %+v", res)
	}
}

func TestWhatMayNotBeRecalledIsRefused(t *testing.T) {
	s := newShelf()
	b := send("ann", 1)
	chat.Apply(&s.State, at(1000, &b))
	for name, c := range map[string]struct {
		at   int64
		give chat.Recall
		want chat.Code
	}{
		"another user's":       {1000, recall("bo", 1), chat.CodeNoSuchMessage},
		"one that is not":      {1000, recall("ann", 2), chat.CodeNoSuchMessage},
		"of a user not there":  {1000, recall("cy", 1), chat.CodeNoSuchMessage},
		"a millisecond late":   {61_001, recall("ann", 1), chat.CodeTooLate},
		"at the last moment":   {61_000, recall("ann", 1), 0},
		"the same again, late": {99_999, recall("ann", 1), 0},
	} {
		if c.want == 0 {
			continue
		}
		writes := s.writes
		if res, _ := chat.Apply(&s.State, at(c.at, c.give)); res.Err == nil || res.Err.Code != c.want || s.writes != writes {
			t.Errorf("%s: %+v, %d writes", name, res, s.writes-writes)
		}
	}
	for _, now := range []int64{61_000, 99_999} {
		if res, _ := chat.Apply(&s.State, at(now, recall("ann", 1))); res.Err != nil || res.Rev != 1 {
			t.Errorf("at %d: %+v", now, res)
		}
	}
}
