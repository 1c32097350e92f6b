package client_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/proto/wirepb"
)

// change is one call of OnState.
type change struct {
	state client.State
	cause error
}

// login is a client with its callbacks as channels.
type login struct {
	*client.Client
	t        *testing.T
	messages chan client.Message
	states   chan change
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func options(f *fake) client.Options {
	return client.Options{Servers: []string{f.srv.URL}, AppID: 1, UserID: "me", Token: "t", MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}
}

// dial logs in and waits until the first comparison of heads is done.
func dial(t *testing.T, f *fake, change_ ...func(o *client.Options)) *login {
	t.Helper()
	l := &login{t: t, messages: make(chan client.Message, 10_000), states: make(chan change, 100)}
	o := options(f)
	o.OnMessage = func(m client.Message) { l.messages <- m }
	o.OnState = func(s client.State, cause error) { l.states <- change{s, cause} }
	for _, c := range change_ {
		c(&o)
	}
	c, err := client.Dial(deadline(t), o)
	if err != nil {
		t.Fatal(err)
	}
	l.Client = c
	t.Cleanup(func() {
		if err := c.Close(deadline(t)); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	l.state(client.StateConnected)
	return l
}

// settled waits for a marker that is delivered after all earlier events.
func (l *login) settled(f *fake) {
	l.t.Helper()
	f.push(&wirepb.Message{Kind: peerKind, SenderId: "marker", TargetId: "me", Type: uint32(chat.TypeCommand), Content: saying("marker")})
	if m := l.next(); m.Peer != "marker" {
		l.t.Fatalf("got %s from %s before the marker", m.Body, m.Peer)
	}
}

// saying is the content of a message that has nothing but a body.
func saying(body string) []byte {
	return wirepb.EncodeContent(&chat.Message{Body: []byte(body)})
}

// said is what a message with such a content says.
func said(content []byte) string {
	m, err := wirepb.DecodeContent(chat.TypeText, content)
	if err != nil {
		panic(err)
	}
	return string(m.Body)
}

func (l *login) next() client.Message {
	l.t.Helper()
	select {
	case m := <-l.messages:
		return m
	case <-time.After(patience):
		l.t.Fatal("no message came")
		return client.Message{}
	}
}

func (l *login) expect(peer string, texts ...string) {
	l.t.Helper()
	for _, text := range texts {
		if m := l.next(); m.Peer != peer || string(m.Body) != text {
			l.t.Fatalf("got %q from %s, want %q from %s", m.Body, m.Peer, text, peer)
		}
	}
}

func (l *login) state(want client.State) error {
	l.t.Helper()
	select {
	case s := <-l.states:
		if s.state != want {
			l.t.Fatalf("state is %v (%v), want %v", s.state, s.cause, want)
		}
		return s.cause
	case <-time.After(patience):
		l.t.Fatalf("state %v never came", want)
		return nil
	}
}

func text(peer, body string) client.SendRequest {
	return client.SendRequest{Peer: peer, Message: chat.Message{Type: chat.TypeText, Body: []byte(body)}}
}

func TestALoginSaysWhoItIs(t *testing.T) {
	f := newFake(t)
	dial(t, f, func(o *client.Options) { o.UserName, o.DeviceID = "Me", "d-1" })
	h := frames(f, (*wirepb.ClientFrame).GetHello)[0]
	if h.ProtocolVersion != 1 || h.AppId != 1 || h.UserId != "me" || h.UserName != "Me" || h.Token != "t" ||
		h.DeviceId != "d-1" || h.Platform != "go" || h.Resume {
		t.Errorf("hello is %v", h)
	}
}

func TestALoginThatCannotBeHasACode(t *testing.T) {
	// Nobody listens on port 1; a port that was given back could be another's now.
	const gone = "http://127.0.0.1:1"
	cases := []struct {
		name   string
		change func(o *client.Options)
		on     func(c *fakeConn, q *wirepb.ClientFrame) bool
		want   chat.Code
	}{
		{"no URL", func(o *client.Options) { o.Servers = nil }, nil, chat.CodeInvalidParam},
		{"another scheme", func(o *client.Options) { o.Servers = []string{"ftp://x"} }, nil, chat.CodeInvalidParam},
		{"no user", func(o *client.Options) { o.UserID = "" }, nil, chat.CodeInvalidParam},
		{"nobody there", func(o *client.Options) { o.Servers = []string{gone} }, nil, chat.CodeUnavailable},
		{"no token", func(o *client.Options) {
			o.TokenSource = func(context.Context) (string, error) { return "", errors.New("no") }
		}, nil, chat.CodeUnavailable},
		{"refused", nil, func(c *fakeConn, q *wirepb.ClientFrame) bool {
			c.refuse(q.Id, chat.CodeTokenTooShort, false)
			return true
		}, chat.CodeTokenTooShort},
		{"kicked", nil, func(c *fakeConn, q *wirepb.ClientFrame) bool {
			c.say(0, &wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: wirepb.Kicked_REASON_OTHER_DEVICE}})
			return true
		}, chat.CodeKicked},
		{"closed as unauthenticated", nil, func(c *fakeConn, _ *wirepb.ClientFrame) bool {
			c.ws.Close(4401, "")
			return true
		}, chat.CodeTokenInvalid},
		{"answered with something else", nil, func(c *fakeConn, q *wirepb.ClientFrame) bool {
			c.say(q.Id, &wirepb.ServerFrame_Ping{Ping: &wirepb.PingReply{}})
			return true
		}, chat.CodeMalformedFrame},
		{"answered with garbage", nil, func(c *fakeConn, _ *wirepb.ClientFrame) bool {
			_ = c.ws.Write(context.Background(), websocket.MessageBinary, []byte("\xff"))
			return true
		}, chat.CodeMalformedFrame},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.intercept(c.on)
			o := options(f)
			if c.change != nil {
				c.change(&o)
			}
			got, err := client.Dial(deadline(t), o)
			if got != nil || chat.CodeOf(err) != c.want {
				t.Errorf("got %v, want %d", err, c.want)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.intercept(func(*fakeConn, *wirepb.ClientFrame) bool { cancel(); return true })
	if _, err := client.Dial(ctx, options(f)); chat.CodeOf(err) != chat.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBeingKickedIsTheEnd(t *testing.T) {
	ends := map[string]struct {
		do   func(f *fake)
		want chat.Code
	}{
		"push": {func(f *fake) {
			f.pushBody(&wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: wirepb.Kicked_REASON_OTHER_DEVICE}})
		}, chat.CodeKicked},
		"token": {func(f *fake) {
			f.pushBody(&wirepb.ServerFrame_Kicked{Kicked: &wirepb.Kicked{Reason: wirepb.Kicked_REASON_TOKEN_EXPIRED}})
		}, chat.CodeTokenExpired},
		"close code": {func(f *fake) { f.conns[0].ws.Close(4409, "") }, chat.CodeKicked},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			l := dial(t, f)
			l.settled(f)
			end.do(f)
			if cause := l.state(client.StateDisconnected); chat.CodeOf(cause) != end.want {
				t.Errorf("the cause is %v", cause)
			}
			_, err := l.Send(deadline(t), text("bob", "x"))
			if chat.CodeOf(err) != chat.CodeNotLoggedIn {
				t.Errorf("a send afterwards gives %v", err)
			}
			if n := len(frames(f, (*wirepb.ClientFrame).GetHello)); n != 1 {
				t.Errorf("%d logins were made", n)
			}
		})
	}
}

func TestARefusalAtReconnectIsTheEndUnlessItIsForNow(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	var tries atomic.Int32
	f.intercept(func(c *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetHello() == nil {
			return false
		}
		if tries.Add(1) <= 3 {
			c.refuse(q.Id, chat.CodeBusy, true)
		} else {
			c.refuse(q.Id, chat.CodeTokenExpired, false)
		}
		return true
	})
	f.cut()
	l.state(client.StateReconnecting)
	if cause := l.state(client.StateDisconnected); chat.CodeOf(cause) != chat.CodeTokenExpired || tries.Load() != 4 {
		t.Errorf("ended with %v after %d tries", cause, tries.Load())
	}
}

func TestEveryConnectionAsksForAFreshToken(t *testing.T) {
	f := newFake(t)
	var asked atomic.Int32
	tokens := []string{"first", "second", "third"}
	l := dial(t, f, func(o *client.Options) {
		o.TokenSource = func(context.Context) (string, error) { return tokens[asked.Add(1)-1], nil }
	})
	l.settled(f)
	f.cut()
	l.state(client.StateReconnecting)
	l.state(client.StateConnected)
	hellos := frames(f, (*wirepb.ClientFrame).GetHello)
	if len(hellos) != 2 || hellos[0].Token != "first" || hellos[1].Token != "second" || !hellos[1].Resume || hellos[1].DeviceId != hellos[0].DeviceId || hellos[1].Link <= hellos[0].Link {
		t.Errorf("hellos are %v", hellos)
	}
	renewed := make(chan string, 1)
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetRenewToken() != nil {
			renewed <- q.GetRenewToken().Token
		}
		return false
	})
	f.pushBody(&wirepb.ServerFrame_TokenExpiring{TokenExpiring: &wirepb.TokenExpiring{Seconds: 30}})
	select {
	case token := <-renewed:
		if token != "third" {
			t.Errorf("renewed with %q", token)
		}
	case <-time.After(patience):
		t.Error("the token was not renewed")
	}
}

func TestARenewedTokenIsUsedForTheNextConnection(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	if end, err := l.RenewToken(deadline(t), "new"); err != nil || end.UnixMilli() != 5000 {
		t.Fatalf("%v, %v", end, err)
	}
	f.cut()
	l.state(client.StateReconnecting)
	l.state(client.StateConnected)
	if h := frames(f, (*wirepb.ClientFrame).GetHello); h[len(h)-1].Token != "new" {
		t.Errorf("the hello after it has %q", h[len(h)-1].Token)
	}
}

func TestASilentServerIsLeftAndAPingingClientStays(t *testing.T) {
	f := newFake(t)
	f.heartbeatMS, f.timeoutMS = 5, 100
	l := dial(t, f)
	l.settled(f)
	var pings atomic.Int32
	enough := make(chan struct{})
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool {
		if q.GetPing() != nil && pings.Add(1) == 10 {
			close(enough)
		}
		return false
	})
	<-enough
	f.intercept(func(_ *fakeConn, q *wirepb.ClientFrame) bool { return q.GetPing() != nil })
	if cause := l.state(client.StateReconnecting); chat.CodeOf(cause) != chat.CodeUnavailable {
		t.Errorf("left with %v", cause)
	}
}

func TestClosingSaysGoodbyeAndMayBeDoneTwice(t *testing.T) {
	f := newFake(t)
	l := dial(t, f)
	for range 2 {
		if err := l.Close(deadline(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(frames(f, (*wirepb.ClientFrame).GetGoodbye)); n != 1 {
		t.Errorf("%d goodbyes were said", n)
	}
	l.state(client.StateDisconnected)
}

func TestTheServersClockIsKnown(t *testing.T) {
	f := newFake(t) // its clock is an hour ahead
	l := dial(t, f)
	if ahead := time.Until(l.ServerTime()); ahead < 59*time.Minute || ahead > 61*time.Minute {
		t.Errorf("the server's clock is taken to be %v ahead", ahead)
	}
}
