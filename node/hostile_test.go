package node_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestLoginsThatAreRefused(t *testing.T) {
	n, _ := start(t, options(t))
	good := token(t, app, secret, "alice", time.Hour)
	expired, err := auth.Generate04(app, "alice", secret, time.Minute, time.Now().Add(-time.Hour), zeros{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*wirepb.Hello)
		code   chat.Code
	}{
		"no token":            {func(h *wirepb.Hello) { h.Token = "" }, chat.CodeTokenInvalid},
		"garbage for a token": {func(h *wirepb.Hello) { h.Token = "04garbage" }, chat.CodeTokenInvalid},
		"another version":     {func(h *wirepb.Hello) { h.Token = "03" + good[2:] }, chat.CodeTokenVersion},
		"another secret":      {func(h *wirepb.Hello) { h.Token = token(t, app, otherSecret, "alice", time.Hour) }, chat.CodeTokenInvalid},
		"another app's":       {func(h *wirepb.Hello) { h.Token = token(t, otherApp, secret, "alice", time.Hour) }, chat.CodeLoginRefused},
		"another user's":      {func(h *wirepb.Hello) { h.Token = token(t, app, secret, "bob", time.Hour) }, chat.CodeLoginRefused},
		"expired":             {func(h *wirepb.Hello) { h.Token = expired }, chat.CodeTokenExpired},
		"about to expire":     {func(h *wirepb.Hello) { h.Token = token(t, app, secret, "alice", 10*time.Second) }, chat.CodeTokenTooShort},
		"no such app":         {func(h *wirepb.Hello) { h.AppId = 99 }, chat.CodeInvalidAppID},
		"33 bytes of user ID": {func(h *wirepb.Hello) { h.UserId = strings.Repeat("a", 33) }, chat.CodeInvalidParam},
		"no user ID":          {func(h *wirepb.Hello) { h.UserId = "" }, chat.CodeInvalidParam},
		"a space in the ID":   {func(h *wirepb.Hello) { h.UserId = "al ice" }, chat.CodeInvalidParam},
		"257 bytes of name":   {func(h *wirepb.Hello) { h.UserName = strings.Repeat("n", 257) }, chat.CodeInvalidParam},
		"501 bytes of avatar": {func(h *wirepb.Hello) { h.AvatarUrl = strings.Repeat("n", 501) }, chat.CodeInvalidParam},
		"no device":           {func(h *wirepb.Hello) { h.DeviceId = "" }, chat.CodeInvalidParam},
		"another protocol":    {func(h *wirepb.Hello) { h.ProtocolVersion = 9 }, chat.CodeProtocolUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			h := hello(app, "alice", good)
			c.change(h)
			p := dial(t, n, wire.Proto{})
			id := p.say(helloFrame(h))
			r, _ := p.read()
			if r.GetError().GetCode() != uint32(c.code) || r.GetReplyTo() != id || r.GetError().GetMessage() == "" {
				t.Errorf("answered %v, want code %d", r, c.code)
			}
			if code := p.closed(); code != 4401 {
				t.Errorf("closed with %d, want 4401", code)
			}
		})
	}
}

// zeros is a source of bytes that needs no luck.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSendsThatAreRefused(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "bob")
	alice := login(t, n, "alice")
	for name, c := range map[string]struct {
		change func(*wirepb.SendMessage)
		code   chat.Code
	}{
		"to oneself":    {func(s *wirepb.SendMessage) { s.Conversation = to("alice") }, chat.CodeInvalidParam},
		"to nobody":     {func(s *wirepb.SendMessage) { s.Conversation = nil }, chat.CodeUnsupported},
		"to a group":    {func(s *wirepb.SendMessage) { s.Conversation.Kind = wirepb.ConversationKind_CONVERSATION_KIND_GROUP }, chat.CodeUnsupported},
		"to a stranger": {func(s *wirepb.SendMessage) { s.Conversation = to("never-seen") }, chat.CodeNoSuchTarget},
		"to 33 bytes":   {func(s *wirepb.SendMessage) { s.Conversation = to(strings.Repeat("b", 33)) }, chat.CodeInvalidParam},
		"empty":         {func(s *wirepb.SendMessage) { s.Content = content(chat.Message{Body: nil}) }, chat.CodeInvalidParam},
		"blank":         {func(s *wirepb.SendMessage) { s.Content = content(chat.Message{Body: []byte(" \t\n　")}) }, chat.CodeInvalidParam},
		"bad UTF-8":     {func(s *wirepb.SendMessage) { s.Content = content(chat.Message{Body: []byte("a\xff")}) }, chat.CodeInvalidParam},
		"too long": {func(s *wirepb.SendMessage) {
			s.Content = content(chat.Message{Body: bytes.Repeat([]byte("a"), 32<<10+1)})
		}, chat.CodeInvalidParam},
		"an image":             {func(s *wirepb.SendMessage) { s.Type = 11 }, chat.CodeUnsupported},
		"no client message id": {func(s *wirepb.SendMessage) { s.ClientMessageId = nil }, chat.CodeInvalidParam},
		"issued never":         {func(s *wirepb.SendMessage) { s.IssuedAtMs = 0 }, chat.CodeInvalidParam},
		"issued tomorrow":      {func(s *wirepb.SendMessage) { s.IssuedAtMs += 86_400_000 }, chat.CodeInvalidParam},
		"issued in the year ∞": {func(s *wirepb.SendMessage) { s.IssuedAtMs = 1 << 63 }, chat.CodeInvalidParam},
		"long extended data": {func(s *wirepb.SendMessage) {
			s.Content = content(chat.Message{Body: []byte("hi"), ExtendedData: strings.Repeat("x", 1025)})
		}, chat.CodeInvalidParam},
		"sub-type of a text": {func(s *wirepb.SendMessage) { s.Content = content(chat.Message{Body: []byte("hi"), SubType: 1}) }, chat.CodeInvalidParam},
		"sub-type 201": {func(s *wirepb.SendMessage) {
			s.Type, s.Content = 200, content(chat.Message{Body: []byte("hi"), SubType: 201})
		}, chat.CodeInvalidParam},
		"priority 4": {func(s *wirepb.SendMessage) { s.Content = content(chat.Message{Body: []byte("hi"), Priority: 4}) }, chat.CodeInvalidParam},
		"5 KB and 1 command": {func(s *wirepb.SendMessage) {
			s.Type, s.Content = 2, content(chat.Message{Body: bytes.Repeat([]byte("a"), 5<<10+1)})
		}, chat.CodeInvalidParam},
	} {
		t.Run(name, func(t *testing.T) {
			s := text("bob", "hi")
			c.change(s)
			if e := alice.ask(sendFrame(s)).GetError(); e.GetCode() != uint32(c.code) || e.GetRetryable() {
				t.Errorf("answered %v, want code %d", e, c.code)
			}
		})
	}
	if ack := alice.sent(text("bob", "still welcome")); ack.Seq != 1 {
		t.Errorf("after all refusals seq is %d, want 1", ack.Seq)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	n, _ := start(t, options(t))
	alice := login(t, n, "alice")
	for name, c := range map[string]struct {
		frame *wirepb.ClientFrame
		code  chat.Code
	}{
		"hello twice":    {helloFrame(hello(app, "alice", "")), chat.CodeInvalidParam},
		"101 messages":   {&wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: &wirepb.QueryMessages{Conversation: to("bob"), Count: 101}}}, chat.CodeInvalidParam},
		"0 messages":     {&wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: &wirepb.QueryMessages{Conversation: to("bob")}}}, chat.CodeInvalidParam},
		"501 in a list":  {&wirepb.ClientFrame{Body: &wirepb.ClientFrame_ListConversations{ListConversations: &wirepb.ListConversations{Count: 501}}}, chat.CodeInvalidParam},
		"a broken token": {&wirepb.ClientFrame{Body: &wirepb.ClientFrame_RenewToken{RenewToken: &wirepb.RenewToken{Token: "04"}}}, chat.CodeTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if e := alice.ask(c.frame).GetError(); e.GetCode() != uint32(c.code) {
				t.Errorf("answered %v, want code %d", e, c.code)
			}
		})
	}
}

func TestPagesBeyondTheEndAreEmptyAndClaimNothing(t *testing.T) {
	n, _ := start(t, options(t))
	login(t, n, "bob")
	alice := login(t, n, "alice")
	alice.sent(text("bob", "one"))
	for _, h := range []*wirepb.QueryMessages{
		{Conversation: to("bob"), Count: 10, AfterSeq: 1},
		{Conversation: to("bob"), Count: 10, AfterSeq: 1<<64 - 1, NewestFirst: true},
		{Conversation: to("bob"), Count: 10, BeforeSeq: 1},
		{Conversation: to("carol"), Count: 10},
	} {
		if page := alice.history(h); len(page.Messages) != 0 || page.FirstSeq != 0 || page.LastSeq != 0 {
			t.Errorf("%v gave %v", h, page)
		}
	}
}

func TestFramesThatEndTheConnection(t *testing.T) {
	n, _ := start(t, options(t))
	for name, c := range map[string]struct {
		codec   wire.Codec
		message []byte
		kind    websocket.MessageType
		code    websocket.StatusCode
	}{
		"garbage":              {wire.Proto{}, []byte{0xff, 0xff, 0xff}, websocket.MessageBinary, 4400},
		"garbage as JSON":      {wire.JSON{}, []byte(`{"id":`), websocket.MessageText, 4400},
		"text under proto":     {wire.Proto{}, []byte("hello"), websocket.MessageText, 1003},
		"binary under JSON":    {wire.JSON{}, []byte("hello"), websocket.MessageBinary, 1003},
		"a large first frame":  {wire.Proto{}, bytes.Repeat([]byte("x"), 20<<10), websocket.MessageBinary, 4400},
		"more than the limit":  {wire.Proto{}, bytes.Repeat([]byte("x"), 70<<10), websocket.MessageBinary, websocket.StatusMessageTooBig},
		"bad UTF-8 in a field": {wire.Proto{}, []byte("\x08\x01\x52\x03\x1a\x01\xff"), websocket.MessageBinary, 4400},
	} {
		t.Run(name, func(t *testing.T) {
			p := dial(t, n, c.codec)
			if err := p.ws.Write(t.Context(), c.kind, c.message); err != nil {
				t.Fatal(err)
			}
			if code := p.closed(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}

func TestARequestBeforeHelloIsRefused(t *testing.T) {
	n, _ := start(t, options(t))
	p := dial(t, n, wire.Proto{})
	p.say(sendFrame(text("bob", "hi")))
	if r, _ := p.read(); r.GetError().GetCode() != uint32(chat.CodeNotLoggedIn) {
		t.Errorf("answered %v", r)
	}
	if code := p.closed(); code != 4400 {
		t.Errorf("closed with %d, want 4400", code)
	}
}

func TestAnUnknownFrameIsAnsweredAndTheConnectionGoesOn(t *testing.T) {
	n, _ := start(t, options(t))
	alice := login(t, n, "alice")
	alice.write([]byte("\x08\x4d\xfa\x07\x00")) // id 77, and a field 127 that nobody knows
	r, _ := alice.read()
	if r.GetError().GetCode() != uint32(chat.CodeUnknownFrame) || r.GetReplyTo() != 77 {
		t.Errorf("answered %v", r)
	}
	if r := alice.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}}); r.GetPing() == nil {
		t.Errorf("ping answered %v", r)
	}
}

func TestSilentSocketsAreClosed(t *testing.T) {
	o := options(t)
	o.Timing = connection.Timing{Hello: 500 * time.Millisecond, Heartbeat: time.Second, Silence: 2 * time.Second}
	n, _ := start(t, o)
	silent := dial(t, n, wire.Proto{})
	if code := silent.closed(); code != 4408 {
		t.Errorf("without hello: closed with %d, want 4408", code)
	}
	alice := login(t, n, "alice")
	if code := alice.closed(); code != 4402 {
		t.Errorf("without heartbeat: closed with %d, want 4402", code)
	}
}

func TestForeignOriginsAndUnknownSubprotocolsAreTurnedAway(t *testing.T) {
	o := options(t)
	o.Origins = []string{"https://app.example.com"}
	n, _ := start(t, o)
	for origin, want := range map[string]int{"": 101, "https://app.example.com": 101, n.URL(): 101, "https://evil.example.com": 403, "http://localhost:1": 403, "null": 403} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ws, res, err := websocket.Dial(t.Context(), n.URL()+"/ws", &websocket.DialOptions{Subprotocols: []string{wire.SubprotocolProto}, HTTPHeader: header})
		if res == nil || res.StatusCode != want {
			t.Errorf("origin %q: %v %v, want %d", origin, res, err, want)
		}
		if ws != nil {
			_ = ws.CloseNow()
		}
	}
	_, res, _ := websocket.Dial(t.Context(), n.URL()+"/ws", &websocket.DialOptions{Subprotocols: []string{"parley.v9"}})
	if res == nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown subprotocol got %v", res)
	}
}

func TestAClientThatDoesNotReadIsToldToPullAndMissesNothing(t *testing.T) {
	n, _ := start(t, options(t))
	bob := login(t, n, "bob")
	alice := login(t, n, "alice")
	body := strings.Repeat("x", 30<<10)
	const total = 400 // 12 MB: more than the kernel's buffers and ours
	for range total {
		alice.sent(text("bob", body))
	}
	pushed, behind := 0, false
	for !behind {
		r, code := bob.read()
		if r == nil {
			t.Fatalf("closed with %d after %d pushes", code, pushed)
		}
		if m := r.GetMessage(); m != nil {
			if pushed++; m.Seq != uint64(pushed) {
				t.Fatalf("push %d has seq %d", pushed, m.Seq)
			}
		}
		behind = r.GetBehind() != nil
	}
	if pushed == total {
		t.Fatal("nothing was dropped: the test did not fill the buffers")
	}
	seen := uint64(pushed)
	for seen < total {
		page := bob.history(&wirepb.QueryMessages{Conversation: to("alice"), AfterSeq: seen, Count: 100})
		if page.FirstSeq != seen+1 || len(page.Messages) == 0 || page.Messages[0].Seq != seen+1 {
			t.Fatalf("page after %d covers %d to %d", seen, page.FirstSeq, page.LastSeq)
		}
		seen = page.LastSeq
	}
}
