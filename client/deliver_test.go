package client_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/proto/wirepb"
)

func TestWhatCameBeforeTheLoginIsNotDelivered(t *testing.T) {
	f := newFake(t)
	for _, peer := range []string{"bob", "carol", "dave", "erin", "frank"} { // three pages of the list
		f.write(peer, "old", "older")
	}
	l := dial(t, f)
	f.push(f.write("bob", "new")...)
	f.push(f.write("frank", "new")...)
	l.expect("bob", "new")
	l.expect("frank", "new")
	l.settled(f)
}

func TestAPushBetweenTheLoginAndTheFirstListIsDelivered(t *testing.T) {
	f := newFake(t)
	f.write("bob", "old")
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetListConversations() != nil {
			f.push(f.write("bob", "new")...) // the list will say that it is there
			f.intercept(nil)
		}
		return false
	})
	l := dial(t, f)
	l.expect("bob", "new")
	l.settled(f)
}

func TestAPushOfALaterReleaseIsSkipped(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	later := protowire.AppendBytes(protowire.AppendTag(nil, 599, protowire.BytesType), []byte("who knows"))
	f.mu.Lock()
	conns := slices.Clone(f.conns)
	f.mu.Unlock()
	for _, c := range conns {
		if err := c.ws.Write(t.Context(), websocket.MessageBinary, later); err != nil {
			t.Fatal(err)
		}
	}
	f.push(f.write("bob", "after it")...)
	l.expect("bob", "after it")
	l.settled(f)
	if n := len(frames(f, (*wirepb.ClientFrame).GetHello)); n != 1 {
		t.Errorf("the client has logged in %d times", n)
	}
}

func TestAConversationThatMovesWhileTheListIsReadIsNotTakenForNew(t *testing.T) {
	f := newFake(t)
	for _, peer := range []string{"bob", "carol", "dave", "erin", "frank"} {
		f.write(peer, "old")
		f.when[peer] = 1
	}
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool {
		if l := q.GetListConversations(); l != nil && l.Before != nil {
			f.intercept(nil)
			f.push(f.write("bob", "new")...) // from the last page to the first, which was read
		}
		return false
	})
	l := dial(t, f)
	l.expect("bob", "new")
	l.settled(f)
}

func TestAGapIsFilledBeforeTheCallback(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	m := f.write("bob", "1", "2", "3", "4", "5")
	f.push(m[0], m[1], m[4])
	l.expect("bob", "1", "2", "3", "4", "5")
	f.push(m...) // copies
	l.settled(f)
}

func TestALongGapIsFilledPageByPage(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	var want []string
	for i := range 250 {
		want = append(want, fmt.Sprint(i))
	}
	m := f.write("bob", want...)
	f.push(m[249])
	l.expect("bob", want...)
	if n := len(frames(f, (*wirepb.ClientFrame).GetQueryMessages)); n != 3 {
		t.Errorf("%d pages were asked", n)
	}
}

func TestOwnMessagesLeaveNoGap(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	for i := range 10 {
		if _, err := l.Send(deadline(t), text("bob", "mine")); err != nil {
			t.Fatal(err)
		}
		f.push(f.write("bob", fmt.Sprint(i))...)
	}
	for i := range 10 {
		l.expect("bob", fmt.Sprint(i))
	}
	if n := len(frames(f, (*wirepb.ClientFrame).GetQueryMessages)); n != 0 {
		t.Errorf("the history was asked %d times", n)
	}
}

func TestAnOwnMessageInTheHistoryIsNotDelivered(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		s := q.GetSendMessage()
		if s == nil {
			return false
		}
		f.mu.Lock()
		sent := f.store("bob", "me", s)
		f.mu.Unlock()
		f.push(f.write("bob", "answer")...) // overtakes the ack
		c.say(q.Id, &wirepb.ServerFrame_SendMessage{SendMessage: sent})
		return true
	})
	if _, err := l.Send(deadline(t), text("bob", "mine")); err != nil {
		t.Fatal(err)
	}
	f.push(f.write("bob", "more")...)
	l.expect("bob", "answer", "more")
	l.settled(f)
	if n := len(frames(f, (*wirepb.ClientFrame).GetQueryMessages)); n != 1 {
		t.Errorf("the history was asked %d times", n)
	}
}

func TestAMessageOfAnotherDeviceIsDelivered(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	id := chat.ClientMessageID{15: 1}
	f.mu.Lock()
	f.store("bob", "me", &wirepb.SendMessage{Type: 1, Content: saying("from my phone"), ClientMessageId: id[:]})
	m := f.logs["bob"][0]
	f.mu.Unlock()
	f.push(m)
	got := l.next()
	if got.Peer != "bob" || got.Sender != "me" || got.Seq != 1 || got.ClientMessageID != id {
		t.Errorf("got %+v", got)
	}
}

func TestACommandIsDeliveredAsItComes(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	ack, err := l.Send(deadline(t), client.SendRequest{Peer: "bob", Message: chat.Message{Type: chat.TypeCommand, Body: []byte{0xFF}}})
	if err != nil || ack.Seq != 0 {
		t.Errorf("%+v, %v", ack, err)
	}
	l.settled(f) // is one
}

func TestWhatWasMissedWhileAwayIsDeliveredAfterTheReconnect(t *testing.T) {
	f := newFake(t)
	f.write("bob", "old")
	l := dial(t, f)
	l.settled(f)
	f.push(f.write("bob", "seen")...)
	l.expect("bob", "seen")
	f.cut()
	l.state(client.StateReconnecting)
	f.write("bob", "missed 1", "missed 2")
	l.state(client.StateConnected)
	l.expect("bob", "missed 1", "missed 2")
	f.cut()
	l.state(client.StateReconnecting)
	f.write("zoe", "hello") // a conversation that begins meanwhile
	l.state(client.StateConnected)
	l.expect("zoe", "hello")
	l.settled(f)
}

func TestALostLastPushIsFoundWhenTheServerSaysBehind(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	f.write("bob", "lost 1", "lost 2")
	f.write("carol", "lost 3")
	f.pushBody(&wirepb.ServerFrame_Behind{Behind: &wirepb.Behind{}})
	l.expect("carol", "lost 3") // the list is latest first
	l.expect("bob", "lost 1", "lost 2")
}

func TestASlowCallbackLosesNothing(t *testing.T) {
	f := newFake(t)
	release := make(chan struct{})
	began := make(chan struct{}, 1)
	got := make(chan client.Message, 5000)
	l := dial(t, f, func(o *client.Options) {
		o.OnMessage = func(m client.Message) {
			select {
			case began <- struct{}{}:
			default:
			}
			<-release
			got <- m
		}
	})
	m := f.write("bob", "0")
	f.push(m...)
	<-began
	const n = 3000 // more than the inbox holds
	for i := 1; i < n; i++ {
		f.push(f.write("bob", fmt.Sprint(i))...)
	}
	// Its reply comes after all pushes: the reader has seen them.
	if _, err := l.History(deadline(t), client.HistoryRequest{Peer: "bob", Count: 1}); err != nil {
		t.Fatal(err)
	}
	close(release)
	for i := range n {
		if m := <-got; m.Seq != uint64(i+1) {
			t.Fatalf("message %d has seq %d", i, m.Seq)
		}
	}
}

func TestWhateverIsLostEachMessageComesOnceInOrder(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			f := newFake(t)
			l := dial(t, f)
			l.settled(f)
			peers := []string{"bob", "carol", "dave"}
			last := map[string]uint64{}
			for range 100 {
				peer := peers[random.IntN(3)]
				switch p := random.IntN(20); {
				case p < 14:
					m := f.write(peer, "x")
					last[peer] = m[0].Seq
					if random.IntN(3) > 0 {
						f.push(m...)
					}
				case p < 17:
					ack, err := l.Send(deadline(t), text(peer, "mine"))
					if err != nil {
						t.Fatal(err)
					}
					last[peer] = ack.Seq
				case p < 18 && last[peer] > 0:
					f.mu.Lock()
					old := f.logs[peer][random.IntN(len(f.logs[peer]))]
					f.mu.Unlock()
					if old.SenderId != "me" {
						f.push(old)
					}
				case p < 19:
					f.pushBody(&wirepb.ServerFrame_Behind{Behind: &wirepb.Behind{}})
				default:
					f.cut()
					l.state(client.StateReconnecting)
					l.state(client.StateConnected)
				}
			}
			f.pushBody(&wirepb.ServerFrame_Behind{Behind: &wirepb.Behind{}})
			l.compare(f, peers)
		})
	}
}

// compare takes messages until all of others' are there, and expects them in
// the order of the logs, nothing else.
func (l *login) compare(f *fake, peers []string) {
	l.t.Helper()
	f.mu.Lock()
	want := map[string][]uint64{}
	total := 0
	for _, peer := range peers {
		for _, m := range f.logs[peer] {
			if m.SenderId == peer {
				want[peer] = append(want[peer], m.Seq)
				total++
			}
		}
	}
	f.mu.Unlock()
	for range total {
		m := l.next()
		if len(want[m.Peer]) == 0 || m.Seq != want[m.Peer][0] {
			l.t.Fatalf("got %s %d from %s, want %v", m.Peer, m.Seq, m.Sender, want[m.Peer])
		}
		want[m.Peer] = want[m.Peer][1:]
	}
	l.settled(f)
}

func TestTheThinClientHandsPushesOnAsTheyCome(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.NoReconnect = true })
	m := f.write("bob", "1", "2", "3")
	f.push(m[2], m[0], m[0])
	l.expect("bob", "3", "1", "1")
	if n := len(frames(f, (*wirepb.ClientFrame).GetQueryMessages)); n != 0 {
		t.Errorf("the history was asked %d times", n)
	}
}

func TestReadingGivesWhatTheServerHas(t *testing.T) {
	f := newFake(t)
	f.write("bob", "1", "2", "3")
	f.write("carol", "x")
	f.write("dave", "y")
	l := dial(t, f)
	h, err := l.History(deadline(t), client.HistoryRequest{Peer: "bob", Before: 3, Count: 1, NewestFirst: true})
	if err != nil || h.First != 2 || h.Last != 2 || h.Head != 3 || len(h.Messages) != 1 || string(h.Messages[0].Body) != "2" || h.Messages[0].Peer != "bob" {
		t.Errorf("%+v, %v", h, err)
	}
	page, err := l.Conversations(deadline(t), client.ConversationsRequest{Count: 2})
	if err != nil || page.Complete || page.TotalUnread != 7 || len(page.Conversations) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	if d := page.Conversations[0]; d.Peer != "dave" || d.Name != "DAVE" || d.Head != 1 || d.Read != 1 || d.Unread != 3 || string(d.Last.Body) != "y" {
		t.Errorf("the first is %+v", d)
	}
	page, err = l.Conversations(deadline(t), client.ConversationsRequest{Count: 2, After: &page.Conversations[1]})
	if err != nil || !page.Complete || len(page.Conversations) != 1 || page.Conversations[0].Peer != "bob" {
		t.Errorf("%+v, %v", page, err)
	}
	if read, err := l.ClearUnread(deadline(t), "bob"); err != nil || read != 3 {
		t.Errorf("%d, %v", read, err)
	}
}
