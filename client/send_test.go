package client_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/proto/wirepb"
)

func TestASendIsAcknowledged(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	id := chat.ClientMessageID{15: 7}
	id.SetIssuedAt(123)
	r := client.SendRequest{Peer: "bob", ClientMessageID: id, Message: chat.Message{
		Type: chat.TypeCustom, SubType: 3, Priority: 2, Body: []byte("{}"), ExtendedData: "e", SearchedContent: "s",
		MentionedUserIDs: []string{"bob"}, MentionAll: true,
	}}
	ack, err := l.Send(deadline(t), r)
	if err != nil || ack.Seq != 1 || ack.MessageID != "m" || ack.OrderKey != 10 || ack.Duplicate {
		t.Fatalf("%+v, %v", ack, err)
	}
	s := frames(f, (*wirepb.ClientFrame).GetSendMessage)[0]
	if s.Conversation.Id != "bob" || !bytes.Equal(s.ClientMessageId, id[:]) || s.IssuedAtMs != 123 || s.Type != 200 {
		t.Errorf("sent %v", s)
	}
	if said, err := wirepb.DecodeContent(chat.TypeCustom, s.Content); err != nil || !reflect.DeepEqual(said, r.Message) {
		t.Errorf("said %+v, %v", said, err)
	}
	if ack, err = l.Send(deadline(t), r); err != nil || ack.Seq != 1 || !ack.Duplicate {
		t.Errorf("again: %+v, %v", ack, err)
	}
}

func TestWhatTheCallerLeavesOutIsFilledIn(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	for range 2 {
		if _, err := l.Send(deadline(t), text("bob", "x")); err != nil {
			t.Fatal(err)
		}
	}
	s := frames(f, (*wirepb.ClientFrame).GetSendMessage)
	if len(s[0].ClientMessageId) != 16 || bytes.Equal(s[0].ClientMessageId, s[1].ClientMessageId) {
		t.Errorf("ids are %x and %x", s[0].ClientMessageId, s[1].ClientMessageId)
	}
	if ahead := time.Until(time.UnixMilli(int64(s[0].IssuedAtMs))); ahead < 59*time.Minute { // by the server's clock
		t.Errorf("issued %v ahead", ahead)
	}
	for _, s := range s {
		if id := chat.ClientMessageID(s.ClientMessageId); id.IssuedAt() != int64(s.IssuedAtMs) {
			t.Errorf("the id %x is of %d, the send of %d", id, id.IssuedAt(), s.IssuedAtMs)
		}
	}
}

func TestALostAckIsAskedForAgainUnderTheSameID(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	var cut atomic.Bool
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if s := q.GetSendMessage(); s != nil && !cut.Swap(true) {
			f.mu.Lock()
			f.store("bob", "me", s) // durable, but the ack is lost
			f.mu.Unlock()
			c.ws.CloseNow()
			return true
		}
		return false
	})
	ack, err := l.Send(deadline(t), text("bob", "once"))
	if err != nil || ack.Seq != 1 || !ack.Duplicate {
		t.Fatalf("%+v, %v", ack, err)
	}
	s := frames(f, (*wirepb.ClientFrame).GetSendMessage)
	if len(s) != 2 || !bytes.Equal(s[0].ClientMessageId, s[1].ClientMessageId) || s[0].IssuedAtMs != s[1].IssuedAtMs {
		t.Errorf("attempts are %v", s)
	}
	if got := f.texts("bob"); !slices.Equal(got, []string{"once"}) {
		t.Errorf("stored %v", got)
	}
	if hellos := frames(f, (*wirepb.ClientFrame).GetHello); !hellos[1].Resume {
		t.Error("the second login did not resume")
	}
}

func TestAMessageIsNotOvertakenWhileItIsRetried(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	refused := make(chan struct{}, 10)
	var refusals atomic.Int32
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if s := q.GetSendMessage(); s != nil && said(s.Content) == "first" && refusals.Add(1) <= 3 {
			c.refuse(q.Id, chat.CodeBusy, true)
			refused <- struct{}{}
			return true
		}
		return false
	})
	var both sync.WaitGroup
	send := func(peer, body string) {
		both.Go(func() {
			if _, err := l.Send(deadline(t), text(peer, body)); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
	send("bob", "first")
	<-refused
	send("bob", "second")
	send("carol", "other")
	both.Wait()
	if got := f.texts("bob"); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("stored %v", got)
	}
	if got := f.texts("carol"); !slices.Equal(got, []string{"other"}) {
		t.Errorf("stored %v", got)
	}
}

func TestAnAttemptWithoutReplyIsMadeAgain(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.AttemptTimeout = 20 * time.Millisecond })
	l.settled(f)
	var sends atomic.Int32
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool { return q.GetSendMessage() != nil && sends.Add(1) == 1 })
	if ack, err := l.Send(deadline(t), text("bob", "x")); err != nil || ack.Seq != 1 || sends.Load() < 2 {
		t.Errorf("%+v, %v after %d attempts", ack, err, sends.Load())
	}
}

func TestTheErrorTellsWhetherTheOutcomeIsKnown(t *testing.T) {
	cases := []struct {
		name string
		on   func(c *fakeConn, q *wirepb.ClientFrame, stop func())
		want chat.Code
	}{
		{"definite refusal", func(c *fakeConn, q *wirepb.ClientFrame, _ func()) { c.refuse(q.Id, chat.CodeNoSuchTarget, false) }, chat.CodeNoSuchTarget},
		{"conflict", func(c *fakeConn, q *wirepb.ClientFrame, _ func()) { c.refuse(q.Id, chat.CodeIDConflict, false) }, chat.CodeIDConflict},
		{"no reply", func(_ *fakeConn, _ *wirepb.ClientFrame, stop func()) { stop() }, chat.CodeTimeout},
		{"connection lost", func(c *fakeConn, _ *wirepb.ClientFrame, stop func()) { c.ws.CloseNow(); stop() }, chat.CodeTimeout},
		{"of another kind", func(c *fakeConn, q *wirepb.ClientFrame, _ func()) {
			c.say(q.Id, &wirepb.ServerFrame_Ping{Ping: &wirepb.PingReply{}})
		}, chat.CodeInternal},
		{"of a later version", func(c *fakeConn, q *wirepb.ClientFrame, _ func()) { c.say(q.Id, nil) }, chat.CodeUnknownFrame},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			l := dial(t, f)
			ctx, stop := context.WithCancel(deadline(t))
			defer stop()
			f.intercept(func(conn *fakeConn, q *wirepb.ClientFrame) bool {
				if q.GetSendMessage() == nil {
					return false
				}
				c.on(conn, q, stop)
				return true
			})
			_, err := l.Send(ctx, text("bob", "x"))
			var typed *chat.Error
			if !errors.As(err, &typed) || typed.Code != c.want || typed.Op != "send" {
				t.Errorf("got %v, want %d", err, c.want)
			}
		})
	}
}

func TestARefusalForNowIsReturnedWhenTimeIsUp(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.MinBackoff, o.MaxBackoff = time.Hour, time.Hour })
	ctx, stop := context.WithCancel(deadline(t))
	refused := make(chan struct{})
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetSendMessage() == nil {
			return false
		}
		c.refuse(q.Id, chat.CodeBusy, true)
		close(refused)
		return true
	})
	go func() {
		<-refused
		_, _ = l.History(ctx, client.HistoryRequest{Peer: "x", Count: 1}) // its reply comes after the refusal
		stop()
	}()
	if _, err := l.Send(ctx, text("bob", "x")); chat.CodeOf(err) != chat.CodeBusy {
		t.Errorf("got %v", err)
	}
}

func TestABadPeerIsRefusedBeforeAnythingIsSent(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	if _, err := l.Send(deadline(t), text("no such name", "x")); chat.CodeOf(err) != chat.CodeInvalidParam {
		t.Errorf("got %v", err)
	}
	l.SendAsync(text("", "x"), func(_ client.Ack, err error) {
		if chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("async: %v", err)
		}
	})
	if n := len(frames(f, (*wirepb.ClientFrame).GetSendMessage)); n != 0 {
		t.Errorf("%d sends went out", n)
	}
}

func TestTheThinClientPipelinesItsSends(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.NoReconnect, o.MaxInFlight = true, 100 })
	const n = 100
	acks := make(chan client.Ack, n)
	for i := range n {
		l.SendAsync(text("bob", strconv.Itoa(i)), func(a client.Ack, err error) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
			acks <- a
		})
	}
	for i := range n {
		if a := <-acks; a.Seq != uint64(i+1) {
			t.Fatalf("ack %d has seq %d", i, a.Seq)
		}
	}
}

func TestTheThinClientRefusesMoreThanItMayHaveInFlight(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.NoReconnect, o.MaxInFlight = true, 2 })
	release := make(chan struct{})
	f.intercept(func(*fakeConn, *wirepb.ClientFrame) bool { <-release; return false })
	codes := make(chan chat.Code, 3)
	for range 3 {
		l.SendAsync(text("bob", "x"), func(_ client.Ack, err error) { codes <- chat.CodeOf(err) })
	}
	if c := <-codes; c != chat.CodeBusy {
		t.Errorf("the third send got %d", c)
	}
	close(release)
	if a, b := <-codes, <-codes; a != 0 || b != 0 {
		t.Errorf("the others got %d and %d", a, b)
	}
}

func TestTheThinClientEndsWithItsConnection(t *testing.T) {
	f := newFake(t)
	l := dial(t, f, func(o *client.Options) { o.NoReconnect = true })
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		c.ws.CloseNow()
		return true
	})
	outcome := make(chan error, 1)
	l.SendAsync(text("bob", "x"), func(_ client.Ack, err error) { outcome <- err })
	if err := <-outcome; chat.CodeOf(err) != chat.CodeTimeout {
		t.Errorf("got %v", err)
	}
	l.state(client.StateDisconnected)
	_, err := l.Send(deadline(t), text("bob", "x"))
	if chat.CodeOf(err) != chat.CodeNotLoggedIn {
		t.Errorf("a send afterwards gives %v", err)
	}
	l.SendAsync(text("bob", "x"), func(_ client.Ack, err error) { outcome <- err })
	if err := <-outcome; chat.CodeOf(err) != chat.CodeNotLoggedIn {
		t.Errorf("an async send afterwards gives %v", err)
	}
}

func BenchmarkSendAsync(b *testing.B) {
	f := newFake(&testing.T{})
	defer f.srv.Close()
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetSendMessage() == nil {
			return false
		}
		c.say(q.Id, &wirepb.ServerFrame_SendMessage{SendMessage: &wirepb.SendMessageReply{MessageId: "m", Seq: 1}})
		return true
	})
	o := options(f)
	o.NoReconnect = true
	c, err := client.Dial(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	places := make(chan struct{}, 32)
	b.ReportAllocs()
	for b.Loop() {
		places <- struct{}{}
		c.SendAsync(text("bob", "x"), func(_ client.Ack, err error) {
			if err != nil {
				b.Error(err)
			}
			<-places
		})
	}
}
