package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/proto/wirepb"
)

func TestARequestThatTheServerCannotTakeHarmsNoOther(t *testing.T) {
	f := newFake(t)
	f.frameBytes = 1000
	l := dial(t, f)
	held := make(chan *wirepb.ClientFrame, 1)
	var conn atomic.Pointer[fakeConn]
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetSendMessage() == nil || said(q.GetSendMessage().Content) != "slow" {
			return false
		}
		conn.Store(c)
		held <- q
		return true
	})
	slow := make(chan error, 1)
	go func() {
		_, err := l.Send(deadline(t), text("bob", "slow"))
		slow <- err
	}()
	q := <-held
	for name, r := range map[string]client.SendRequest{
		"too large":    text("carol", strings.Repeat("x", 1000)),
		"not in UTF-8": {Peer: "carol", Message: chat.Message{Type: chat.TypeText, Body: []byte("x"), SearchedContent: "\xff"}},
	} {
		if _, err := l.Send(deadline(t), r); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%s: %v", name, err)
		}
	}
	conn.Load().answer(q)
	if err := <-slow; err != nil {
		t.Errorf("the other send: %v", err)
	}
	select {
	case s := <-l.states:
		t.Errorf("the state became %v (%v)", s.state, s.cause)
	default:
	}
}

func TestALargeFrameOnASlowLineIsASignOfLife(t *testing.T) {
	f := newFake(t)
	f.heartbeatMS, f.timeoutMS = 10, 300
	l := dial(t, f)
	l.settled(f)
	release := make(chan struct{}, 100)
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetQueryMessages() == nil {
			return q.GetPing() != nil // pongs wait for the page to be through
		}
		go func() {
			defer func() { release <- struct{}{} }()
			c.trickle(q.Id, &wirepb.ServerFrame_QueryMessages{QueryMessages: &wirepb.QueryMessagesReply{Messages: []*wirepb.Message{
				{Kind: peerKind, SenderId: "bob", TargetId: "me", Seq: 1, Content: saying(strings.Repeat("x", 300_000))},
			}}})
		}()
		return true
	})
	page, err := l.History(deadline(t), client.HistoryRequest{Peer: "bob", Count: 1})
	<-release
	if err != nil || len(page.Messages) != 1 {
		t.Errorf("%d messages, %v", len(page.Messages), err)
	}
	if n := len(frames(f, (*wirepb.ClientFrame).GetQueryMessages)); n != 1 {
		t.Errorf("the page was asked for %d times", n)
	}
}

// trickle writes a frame over three times as long as the fake may be silent.
func (c *fakeConn) trickle(replyTo uint32, body wirepb.ServerBody) {
	data, err := wirepb.NewServerFrame(replyTo, body).MarshalVT()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	w, err := c.ws.Writer(ctx, websocket.MessageBinary)
	if err != nil {
		return
	}
	tick := time.NewTicker(time.Duration(c.f.timeoutMS) * time.Millisecond / 10)
	defer tick.Stop()
	for part := range 30 {
		<-tick.C
		// A part this large is not held back in a buffer.
		if _, err := w.Write(data[len(data)*part/30 : len(data)*(part+1)/30]); err != nil {
			return
		}
	}
	_ = w.Close()
}

func TestATokenThatEndedIsReplacedBySourceWithoutEndingTheLogin(t *testing.T) {
	f := newFake(t)
	var asked atomic.Int32
	l := dial(t, f, func(o *client.Options) {
		o.TokenSource = func(context.Context) (string, error) {
			if n := asked.Add(1); n == 2 || n == 3 {
				return "", errors.New("the back end is being restarted")
			}
			return "fresh", nil
		}
	})
	l.settled(f)
	f.pushBody(&wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: wirepb.Kicked_REASON_TOKEN_EXPIRED}})
	if cause := l.state(client.StateReconnecting); chat.CodeOf(cause) != chat.CodeTokenExpired {
		t.Errorf("left with %v", cause)
	}
	l.state(client.StateConnected)
	if asked.Load() != 4 {
		t.Errorf("the source was asked %d times", asked.Load())
	}
}

func TestARenewalThatFailsIsTriedAgain(t *testing.T) {
	f := newFake(t)
	var asked atomic.Int32
	l := dial(t, f, func(o *client.Options) {
		o.TokenSource = func(context.Context) (string, error) {
			if n := asked.Add(1); n == 2 || n == 3 {
				return "", errors.New("no route to the back end")
			}
			return "fresh", nil
		}
	})
	l.settled(f)
	renewed := make(chan string, 1)
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetRenewToken() != nil {
			renewed <- q.GetRenewToken().Token
		}
		return false
	})
	f.pushBody(&wirepb.ServerFrame_TokenExpiring{TokenExpiring: &wirepb.TokenExpiring{Seconds: 30}})
	select {
	case <-renewed:
	case <-time.After(patience):
		t.Error("the token was not renewed")
	}
}

func TestASourceThatRefusesEndsTheLogin(t *testing.T) {
	for name, disturb := range map[string]func(f *fake){
		"at a renewal": func(f *fake) {
			f.pushBody(&wirepb.ServerFrame_TokenExpiring{TokenExpiring: &wirepb.TokenExpiring{Seconds: 30}})
		},
		"at a new connect": func(f *fake) { f.cut() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			var asked atomic.Int32
			l := dial(t, f, func(o *client.Options) {
				o.TokenSource = func(context.Context) (string, error) {
					if asked.Add(1) > 1 {
						return "", errors.Join(client.ErrTokenRefused, errors.New("the account is closed"))
					}
					return "fresh", nil
				}
			})
			l.settled(f)
			disturb(f)
			for {
				s := <-l.states
				if s.state == client.StateReconnecting {
					continue
				}
				if s.state != client.StateDisconnected || !errors.Is(s.cause, client.ErrTokenRefused) {
					t.Errorf("%v, %v", s.state, s.cause)
				}
				return
			}
		})
	}
}

func TestANodeThatHasTooMuchToDoIsLeftAloneForAWhile(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	l.settled(f)
	f.mu.Lock()
	conn := f.conns[len(f.conns)-1]
	f.mu.Unlock()
	began := time.Now()
	conn.ws.Close(4429, "overloaded")
	if cause := l.state(client.StateReconnecting); chat.CodeOf(cause) != chat.CodeBusy {
		t.Errorf("left with %v", cause)
	}
	l.state(client.StateConnected)
	if took := time.Since(began); took < time.Second { // the back-off of these tests is 5 ms
		t.Errorf("came back after %v", took)
	}
}

func TestAServerThatIsReachedByTLSTeachesNoOther(t *testing.T) {
	f := newFake(t)
	secure := httptest.NewTLSServer(http.HandlerFunc(f.serve))
	t.Cleanup(secure.Close)
	var plain atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { plain.Add(1) }))
	t.Cleanup(other.Close)
	f.servers = []string{other.URL}
	l := dial(t, f, func(o *client.Options) {
		o.Servers, o.HTTPClient = []string{secure.URL}, secure.Client()
	})
	l.settled(f)
	for range 3 {
		f.cut()
		l.state(client.StateReconnecting)
		l.state(client.StateConnected)
	}
	if plain.Load() != 0 {
		t.Errorf("%d connections in the clear", plain.Load())
	}
}
