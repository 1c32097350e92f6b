package chat_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

const app chat.AppID = 7

// peers are the conversations of the properties: two that share a user.
var peers = []chat.ConversationKey{chat.PeerConversation(app, "ann", "bo"), chat.PeerConversation(app, "ann", "cy")}

// windows are what an operator may set one after the other: the floor must not
// run back when one is widened.
var windows = []chat.DedupeWindow{
	{Age: 40 * time.Millisecond, Messages: 30}, {Age: 5 * time.Millisecond, Messages: 10}, {Age: time.Second, Messages: 100},
}

// drawSend draws from a small world, so that ids meet again and again.
func drawSend(t *rapid.T, now int64, fresh int) chat.Send {
	b := chat.Send{
		Conversation: rapid.SampledFrom(peers).Draw(t, "conversation"),
		Sender:       rapid.SampledFrom([]string{"ann", "ann", "ann", "bo", "cy"}).Draw(t, "sender"),
		IssuedAt:     now - rapid.Int64Range(0, 3).Draw(t, "age"),
		Window:       rapid.SampledFrom(windows).Draw(t, "window"),
		Type:         chat.TypeText,
		Content:      []byte("same"),
	}
	b.ClientMessageID[0] = byte(rapid.IntRange(0, 3).Draw(t, "id"))
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		b.Type = rapid.SampledFrom([]chat.MessageType{chat.TypeText, chat.TypeCustom}).Draw(t, "type")
		b.Content = rapid.SliceOfN(rapid.Byte(), 1, 2).Draw(t, "content")
	case 1:
		b.IssuedAt = now + rapid.SampledFrom([]int64{-now - 1, -now, -500, -60, -41, 299_999, 300_000, 300_001}).Draw(t, "off")
	case 2, 3: // most likely a retry
	default:
		b.ClientMessageID[1], b.ClientMessageID[2] = byte(fresh), byte(fresh>>8)
	}
	return b
}

// drawHistory draws a run of commands with a clock that mostly runs, sometimes
// stands and sometimes jumps back.
func drawHistory(t *rapid.T) []chat.Command {
	now := int64(1_700_000_000_000)
	commands := make([]chat.Command, rapid.IntRange(1, 400).Draw(t, "commands"))
	for i := range commands {
		now += rapid.SampledFrom([]int64{0, 0, 1, 1, 2, 5, -7}).Draw(t, "tick")
		b := drawSend(t, now, i)
		commands[i] = chat.Command{Version: chat.Version, Time: now, Body: &b}
	}
	return commands
}

func TestSendsBehaveAsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := newShelf(), newModel()
		ids := map[string]bool{}
		for i, c := range drawHistory(t) {
			b := *c.Body.(*chat.Send)
			before := s.writes
			res, events := chat.Apply(&s.State, c)
			if err := compare(m.send(c.Time, b), b.Conversation, res, events, s.writes-before, ids); err != nil {
				t.Fatalf("command %d, %+v at %d: %v", i, b, c.Time, err)
			}
		}
		for _, c := range peers {
			if err := checkConversation(s, m, c); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// compare holds one result against the model's verdict.
func compare(v verdict, c chat.ConversationKey, res chat.Result, events []chat.Event, writes int, ids map[string]bool) error {
	if v.code != 0 {
		if res.Err == nil || res.Err.Code != v.code || writes != 0 || len(events) != 0 {
			return fmt.Errorf("got %+v with %d events and %d writes, want the refusal %d and nothing written", res, len(events), writes, v.code)
		}
		return nil
	}
	want := chat.Sent{MessageID: chat.MessageID(c, v.as.seq), Seq: v.as.seq, OrderKey: v.as.orderKey, Time: v.as.time, Duplicate: v.duplicate}
	if res.Err != nil || res.Sent != want {
		return fmt.Errorf("got %+v, %v, want %+v", res.Sent, res.Err, want)
	}
	if v.duplicate {
		effects := 0
		if v.as.seq == 1 {
			effects = 1 // the sender's list may not show it yet
		}
		if writes != effects || len(events) != 0 || len(res.Effects) != effects {
			return fmt.Errorf("a duplicate of seq %d gave %d writes, %d events and %d effects, want %d effects alone", v.as.seq, writes, len(events), len(res.Effects), effects)
		}
		return nil
	}
	if ids[want.MessageID] {
		return fmt.Errorf("message id %s was given out twice", want.MessageID)
	}
	ids[want.MessageID] = true
	if (v.as.seq == 1) != (len(res.Effects) == 2) {
		return fmt.Errorf("seq %d came with %d effects; the first message opens the conversation for both", v.as.seq, len(res.Effects))
	}
	if len(events) != 1 || events[0].(chat.Appended).Entry.Seq != v.as.seq || events[0].(chat.Appended).Conversation != c {
		return fmt.Errorf("events %+v, want the entry %d", events, v.as.seq)
	}
	return nil
}

// checkConversation holds the rows that a run left against the model.
func checkConversation(s *shelf, m *model, c chat.ConversationKey) error {
	log, want, head := s.log(c), m.logs[c], s.heads[c]
	if len(log) != len(want) || head.Seq != uint64(len(want)) {
		return fmt.Errorf("%d entries and head %d, want %d", len(log), head.Seq, len(want))
	}
	if got := chat.VerifyChain([32]byte{}, c, log); got != head.Hash {
		return fmt.Errorf("the entries hash to %x, the head says %x", got, head.Hash)
	}
	if head.DedupeFloor != m.floors[c] {
		return fmt.Errorf("floor %d, want %d", head.DedupeFloor, m.floors[c])
	}
	for i, e := range log {
		a := want[i]
		own := uint64(i+1) - m.unread(c, e.Sender, 0) + m.unread(c, e.Sender, e.Seq) // of the first i+1, those not of others
		if e.Seq != a.seq || e.Time != a.time || e.OrderKey != a.orderKey || e.Sender != a.send.Sender || e.Counted != e.Seq || e.Own != own {
			return fmt.Errorf("entry %+v, want %+v with own %d", e, a, own)
		}
		if i > 0 && (e.OrderKey <= log[i-1].OrderKey || e.Time < log[i-1].Time) {
			return fmt.Errorf("entry %d runs back: %d, %d after %d, %d", e.Seq, e.OrderKey, e.Time, log[i-1].OrderKey, log[i-1].Time)
		}
		if e.OrderKey >= 1<<53 {
			return fmt.Errorf("order key %d does not fit JavaScript's numbers", e.OrderKey)
		}
	}
	return checkUnread(m, c, &head, log)
}

// checkUnread reads up to each entry in turn.
func checkUnread(m *model, c chat.ConversationKey, head *chat.Head, log []chat.Entry) error {
	first, second, _ := c.Peers()
	for _, user := range []string{first, second} {
		mark := chat.Mark{}
		for i := 0; ; i++ {
			if got, want := head.Unread(c, user, mark), m.unread(c, user, mark.Seq); got != want {
				return fmt.Errorf("%s has %d unread after %d, want %d", user, got, mark.Seq, want)
			}
			if i == len(log) {
				break
			}
			mark.Seq, mark.Counted = log[i].Seq, log[i].Counted
			if log[i].Sender == user {
				mark.Own = log[i].Own
			}
		}
		if mark != head.Mark(c, user) && len(log) > 0 {
			return fmt.Errorf("the head as %s's mark is %+v, want %+v", user, head.Mark(c, user), mark)
		}
	}
	return nil
}

func TestTheSameCommandsGiveTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := newShelf(), newShelf()
		for _, c := range drawHistory(t) {
			ra, _ := chat.Apply(&a.State, c)
			rb, _ := chat.Apply(&b.State, c)
			if ra.Sent != rb.Sent || (ra.Err == nil) != (rb.Err == nil) {
				t.Fatalf("%+v and %+v from the same command", ra, rb)
			}
		}
		if !a.same(b) {
			t.Fatal("two runs of the same commands left different rows")
		}
	})
}

func TestChangingAnythingBreaksTheChain(t *testing.T) {
	s := newShelf()
	for i := range 5 {
		b := send("ann", byte(i))
		b.Salt[0] = byte(i)
		chat.Apply(&s.State, at(1000+int64(i), &b))
	}
	head := s.heads[peers[0]]
	for name, change := range map[string]func(log []chat.Entry){
		"content":   func(l []chat.Entry) { l[2].Content = []byte("other") },
		"kind":      func(l []chat.Entry) { l[2].Kind = chat.EntryTip },
		"type":      func(l []chat.Entry) { l[2].Type = chat.TypeCustom },
		"sender":    func(l []chat.Entry) { l[2].Sender = "bo" },
		"time":      func(l []chat.Entry) { l[2].Time++ },
		"order key": func(l []chat.Entry) { l[2].OrderKey++ },
		"counted":   func(l []chat.Entry) { l[2].Counted++ },
		"own":       func(l []chat.Entry) { l[2].Own++ },
		"id":        func(l []chat.Entry) { l[2].ClientMessageID[15]++ },
		"issued at": func(l []chat.Entry) { l[2].IssuedAt++ },
		"salt":      func(l []chat.Entry) { l[2].Salt[3]++ },
		"seq":       func(l []chat.Entry) { l[2].Seq++ },
		"order":     func(l []chat.Entry) { l[2], l[3] = l[3], l[2] },
	} {
		log := s.log(peers[0])
		change(log)
		if chat.VerifyChain([32]byte{}, peers[0], log) == head.Hash {
			t.Errorf("a changed %s kept the chain", name)
		}
	}
	log := s.log(peers[0])
	half := chat.VerifyChain([32]byte{}, peers[0], log[:2])
	if chat.VerifyChain([32]byte{}, peers[1], log) == head.Hash {
		t.Error("the log of another conversation keeps the chain")
	}
	if chat.VerifyChain([32]byte{}, peers[0], log) != head.Hash || chat.VerifyChain(half, peers[0], log[2:]) != head.Hash {
		t.Error("the unchanged log does not give the head's hash, whole or in two parts")
	}
}

// at is a command of today's version.
func at(now int64, body chat.CommandBody) chat.Command {
	return chat.Command{Version: chat.Version, Time: now, Body: body}
}

// send is a send to the first of peers, issued at 1000.
func send(sender string, id byte) chat.Send {
	return chat.Send{
		Conversation: peers[0], Sender: sender, ClientMessageID: chat.ClientMessageID{id}, IssuedAt: 1000,
		Type: chat.TypeText, Content: []byte{'m', id}, Window: chat.DefaultLimits().Dedupe,
	}
}
