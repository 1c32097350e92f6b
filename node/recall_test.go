package node_test

import (
	"path/filepath"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage/pebble"
)

func recallFrame(user string, seq uint64) *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_RecallMessage{RecallMessage: &wirepb.RecallMessage{Conversation: to(user), Seq: seq}}}
}

// TestARecalledMessageIsAPlaceholderForEverybody: for who is online, who reads the
// history or the list, and who sends it again.
func TestARecalledMessageIsAPlaceholderForEverybody(t *testing.T) {
	o := options(t)
	n, stop := start(t, o)
	bob := login(t, n, "bob")
	alice := login(t, n, "alice")
	s := text("bob", "a slip of the tongue")
	if ack := alice.sent(s); ack.Seq != 1 {
		t.Fatal(ack)
	}
	if e := bob.ask(recallFrame("alice", 1)).GetError(); e.GetCode() != uint32(chat.CodeNoSuchMessage) {
		t.Errorf("bob recalled alice's message: %v", e)
	}
	for range 2 {
		if r := alice.ask(recallFrame("bob", 1)).GetRecallMessage(); r.GetRev() != 1 {
			t.Errorf("recalled as change %d, want 1", r.GetRev())
		}
	}
	erased := func(m *wirepb.Message) bool {
		return m.GetSeq() == 1 && m.GetEntry() == wirepb.EntryKind_ENTRY_KIND_ERASED && m.GetRev() == 1 && m.GetSenderId() == "alice" && len(m.GetContent()) == 0
	}
	for {
		r, code := bob.read()
		if r == nil {
			t.Fatalf("closed with %d", code)
		}
		if m := r.GetMessageChanged(); m != nil {
			if !erased(m) {
				t.Errorf("bob is pushed %v", m)
			}
			break
		}
	}
	if page := bob.history(&wirepb.QueryMessages{Conversation: to("alice"), Count: 10}); len(page.Messages) != 1 || !erased(page.Messages[0]) {
		t.Errorf("bob reads %v", page)
	}
	changes := bob.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryChanges{QueryChanges: &wirepb.QueryChanges{Conversation: to("alice"), Count: 10}}}).GetQueryChanges()
	if len(changes.GetMessages()) != 1 || !erased(changes.Messages[0]) || changes.LastRev != 1 || changes.HeadRev != 1 {
		t.Errorf("bob reads the changes %v", changes)
	}
	if list := bob.list(&wirepb.ListConversations{Count: 10}); len(list.Conversations) != 1 || !erased(list.Conversations[0].LastMessage) {
		t.Errorf("bob's list is %v", list)
	}
	if again := alice.sent(s); !again.Duplicate || again.Seq != 1 {
		t.Errorf("sent again: %v", again)
	}
	stop()
	checkErased(t, o.Data)
}

// checkErased wants a folder's store without problems and with one erased entry.
func checkErased(t *testing.T, data string) {
	t.Helper()
	e, err := pebble.Examine(filepath.Join(data, "store"), nil)
	if err != nil || e.Problems() > 0 {
		t.Fatalf("%v, %+v", err, e)
	}
	erased := 0
	for _, s := range e.Shards {
		erased += s.Erased
	}
	if erased != 1 {
		t.Errorf("%d erased entries, want 1", erased)
	}
}
