package node_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestMain(m *testing.M) {
	// The library waits for a second after a message to an actor that has ended.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

const (
	app         chat.AppID = 7
	otherApp    chat.AppID = 8
	secret                 = "0123456789abcdef0123456789abcdef"
	otherSecret            = "fedcba9876543210fedcba9876543210"
	waitFor                = 10 * time.Second
)

// options is a node on a free port with an empty directory.
func options(t *testing.T) node.Options {
	t.Helper()
	return node.Options{
		Addr: "127.0.0.1:0", Data: t.TempDir(), Shards: 16, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Apps: []node.App{
			{App: auth.App{ID: app, Secret: secret}, Limits: chat.DefaultLimits()},
			{App: auth.App{ID: otherApp, Secret: otherSecret}, Limits: chat.DefaultLimits()},
		},
	}
}

// start runs a node until the test ends or the returned function is called.
func start(t *testing.T, o node.Options) (n *node.Node, stop func()) {
	t.Helper()
	n, err := node.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), waitFor)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	t.Cleanup(stop)
	return n, stop
}

func token(t *testing.T, a chat.AppID, s, user string, ttl time.Duration) string {
	t.Helper()
	tok, err := auth.Generate04(a, user, s, ttl, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// peer is a bare client: it says exactly what the test says.
type peer struct {
	t     *testing.T
	ws    *websocket.Conn
	codec wire.Codec
	next  uint32
}

func dial(t *testing.T, n *node.Node, codec wire.Codec) *peer {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), n.URL()+"/ws", &websocket.DialOptions{Subprotocols: []string{codec.Name()}})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(16 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &peer{t: t, ws: ws, codec: codec}
}

func (p *peer) write(message []byte) {
	p.t.Helper()
	kind := websocket.MessageBinary
	if p.codec.Text() {
		kind = websocket.MessageText
	}
	if err := p.ws.Write(p.t.Context(), kind, message); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// say sends a frame and returns its id.
func (p *peer) say(f *wirepb.ClientFrame) uint32 {
	p.t.Helper()
	p.next++
	f.Id = p.next
	data, err := p.codec.EncodeClient(f)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(data)
	return f.Id
}

// read gives the next frame, or the close code.
func (p *peer) read() (*wirepb.ServerFrame, websocket.StatusCode) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), waitFor)
	defer cancel()
	_, data, err := p.ws.Read(ctx)
	if err != nil {
		if ctx.Err() != nil {
			p.t.Fatal("nothing came in time")
		}
		return nil, websocket.CloseStatus(err)
	}
	f, err := p.codec.DecodeServer(data)
	if err != nil {
		p.t.Fatalf("decode: %v", err)
	}
	return f, 0
}

// ask sends a frame and reads on to its answer; pushes before it are dropped.
func (p *peer) ask(f *wirepb.ClientFrame) *wirepb.ServerFrame {
	p.t.Helper()
	id := p.say(f)
	for {
		r, code := p.read()
		if r == nil {
			p.t.Fatalf("closed with %d instead of an answer", code)
		}
		if r.ReplyTo == id {
			return r
		}
	}
}

// push reads on to the next message.
func (p *peer) push() *wirepb.Message {
	p.t.Helper()
	for {
		r, code := p.read()
		if r == nil {
			p.t.Fatalf("closed with %d instead of a message", code)
		}
		if m := r.GetMessage(); m != nil {
			return m
		}
	}
}

// closed reads on to the close code.
func (p *peer) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		if r, code := p.read(); r == nil {
			return code
		}
	}
}

func hello(a chat.AppID, user, tok string) *wirepb.Hello {
	return &wirepb.Hello{ProtocolVersion: 1, AppId: uint32(a), UserId: user, Token: tok, UserName: strings.ToUpper(user), DeviceId: "dev-" + user, Platform: "test"}
}

func helloFrame(h *wirepb.Hello) *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_Hello{Hello: h}}
}

// login dials and is welcomed.
func login(t *testing.T, n *node.Node, user string) *peer {
	t.Helper()
	p := dial(t, n, wire.Proto{})
	p.welcome(hello(app, user, token(t, app, secret, user, time.Hour)))
	return p
}

func (p *peer) welcome(h *wirepb.Hello) *wirepb.HelloReply {
	p.t.Helper()
	r := p.ask(helloFrame(h))
	if r.GetHello() == nil {
		p.t.Fatalf("no welcome but %v", r)
	}
	return r.GetHello()
}

func to(user string) *wirepb.ConversationRef {
	return &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: user}
}

// text is a fresh text message.
func text(user, body string) *wirepb.SendMessage {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &wirepb.SendMessage{Conversation: to(user), ClientMessageId: id, IssuedAtMs: uint64(time.Now().UnixMilli()), Type: 1, Content: content(chat.Message{Body: []byte(body)})}
}

// bodyOf is the body of a content.
func bodyOf(content []byte) string {
	m, err := wirepb.DecodeContent(chat.TypeText, content)
	if err != nil {
		panic(err)
	}
	return string(m.Body)
}

func content(m chat.Message) []byte { return wirepb.EncodeContent(&m) }

func sendFrame(s *wirepb.SendMessage) *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_SendMessage{SendMessage: s}}
}

// sent sends until it is acknowledged: a disk that other tests keep busy may stand
// still for long enough to have the node say so.
func (p *peer) sent(s *wirepb.SendMessage) *wirepb.SendMessageReply {
	p.t.Helper()
	for begun := time.Now(); ; {
		r := p.ask(sendFrame(s))
		if r.GetSendMessage() != nil {
			return r.GetSendMessage()
		}
		if !r.GetError().GetRetryable() || time.Since(begun) > waitFor {
			p.t.Fatalf("not sent: %v", r)
		}
	}
}

func (p *peer) history(h *wirepb.QueryMessages) *wirepb.QueryMessagesReply {
	p.t.Helper()
	r := p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: h}})
	if r.GetQueryMessages() == nil {
		p.t.Fatalf("no page but %v", r)
	}
	return r.GetQueryMessages()
}

func (p *peer) list(l *wirepb.ListConversations) *wirepb.ListConversationsReply {
	p.t.Helper()
	r := p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_ListConversations{ListConversations: l}})
	if r.GetListConversations() == nil {
		p.t.Fatalf("no list but %v", r)
	}
	return r.GetListConversations()
}

func (p *peer) clear(user string) *wirepb.ServerFrame {
	p.t.Helper()
	return p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_ClearUnread{ClearUnread: &wirepb.ClearUnread{Conversation: to(user)}}})
}

func TestAMessageReachesTheOtherUserAndTheLog(t *testing.T) {
	for _, codec := range wire.Codecs() {
		t.Run(codec.Name(), func(t *testing.T) {
			n, _ := start(t, options(t))
			bob := dial(t, n, codec)
			bob.welcome(hello(app, "bob", token(t, app, secret, "bob", time.Hour)))
			alice := login(t, n, "alice")

			ack := alice.sent(text("bob", "hi, 鲍勃"))
			if ack.Seq != 1 || ack.MessageId == "" || ack.Duplicate {
				t.Fatalf("ack %v", ack)
			}
			m := bob.push()
			if bodyOf(m.Content) != "hi, 鲍勃" || m.SenderId != "alice" || m.TargetId != "bob" || m.Seq != 1 || m.MessageId != ack.MessageId || m.OrderKey != ack.OrderKey {
				t.Fatalf("push %v", m)
			}
			page := bob.history(&wirepb.QueryMessages{Conversation: to("alice"), Count: 10, NewestFirst: true})
			if len(page.Messages) != 1 || page.FirstSeq != 1 || page.LastSeq != 1 || page.HeadSeq != 1 {
				t.Fatalf("page %v", page)
			}
		})
	}
}

func TestTheListShowsUnreadUntilItIsCleared(t *testing.T) {
	o := options(t)
	var ms atomic.Int64 // no two messages have one time, else their order is that of names
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ms.Add(1)) * time.Millisecond) }
	n, _ := start(t, o)
	bob, carol := login(t, n, "bob"), login(t, n, "carol")
	alice := login(t, n, "alice")
	alice.sent(text("bob", "one"))
	alice.sent(text("bob", "two"))
	carol.sent(text("bob", "three"))

	// The receiver's list follows within a moment, not before the sender's ack.
	page := bob.list(&wirepb.ListConversations{Count: 10})
	for end := time.Now().Add(waitFor); len(page.Conversations) < 2 && time.Now().Before(end); {
		page = bob.list(&wirepb.ListConversations{Count: 10})
	}
	if len(page.Conversations) != 2 || page.GetTotalUnread() != 3 || !page.Complete {
		t.Fatalf("list %v", page)
	}
	first, second := page.Conversations[0], page.Conversations[1]
	if first.Ref.Id != "carol" || first.Name != "CAROL" || first.Unread != 1 || second.Ref.Id != "alice" || second.Unread != 2 || bodyOf(second.LastMessage.Content) != "two" {
		t.Fatalf("list %v", page)
	}
	next := bob.list(&wirepb.ListConversations{Count: 1, BeforeOrderKey: first.OrderKey, Before: first.Ref})
	if len(next.Conversations) != 1 || next.Conversations[0].Ref.Id != "alice" || next.GetTotalUnread() != 3 {
		t.Fatalf("second page %v", next)
	}
	if got := bob.clear("alice").GetClearUnread(); got.GetReadSeq() != 2 {
		t.Fatalf("cleared %v", got)
	}
	bob.sent(text("alice", "mine does not count"))
	page = bob.list(&wirepb.ListConversations{Only: []*wirepb.ConversationRef{to("alice")}})
	if len(page.Conversations) != 1 || page.Conversations[0].Unread != 0 || page.Conversations[0].ReadSeq != 2 || page.TotalUnread != nil {
		t.Fatalf("after clear %v", page)
	}
	if got := bob.clear("nobody").GetError(); got.GetCode() != uint32(chat.CodeNoConversation) {
		t.Fatalf("clear of nothing: %v", got)
	}
}

func TestARetryGivesTheFirstSeqAfterReconnectAndRestart(t *testing.T) {
	o := options(t)
	n, stop := start(t, o)
	login(t, n, "bob")
	alice := login(t, n, "alice")
	s := text("bob", "once")
	first := alice.sent(s)
	alice.sent(text("bob", "another"))

	again := login(t, n, "alice").sent(s)
	stop()
	n, _ = start(t, o)
	alice = login(t, n, "alice")
	restarted := alice.sent(s)
	for _, ack := range []*wirepb.SendMessageReply{again, restarted} {
		if ack.Seq != first.Seq || ack.MessageId != first.MessageId || ack.OrderKey != first.OrderKey || !ack.Duplicate {
			t.Errorf("retry got %v, first was %v", ack, first)
		}
	}
	other := text("bob", "something else")
	other.ClientMessageId, other.IssuedAtMs = s.ClientMessageId, s.IssuedAtMs
	if e := alice.ask(sendFrame(other)).GetError(); e.GetCode() != uint32(chat.CodeIDConflict) {
		t.Errorf("another body under the same id: %v", e)
	}
}

func TestARetryPastTheWindowIsRefused(t *testing.T) {
	o := options(t)
	o.Apps[0].Limits.Dedupe = chat.DedupeWindow{Age: time.Nanosecond, Messages: 10}
	n, _ := start(t, o)
	login(t, n, "bob")
	alice := login(t, n, "alice")
	s := text("bob", "old")
	s.IssuedAtMs -= 60_000
	alice.sent(s)
	for i := range 200 {
		alice.sent(text("bob", fmt.Sprint(i)))
	}
	if e := alice.ask(sendFrame(s)).GetError(); e.GetCode() != uint32(chat.CodeDedupeWindowPassed) || e.Retryable {
		t.Errorf("retry past the window: %v", e)
	}
}

func TestASecondDeviceKicksTheFirstAndAResumeDoesNotKickBack(t *testing.T) {
	n, _ := start(t, options(t))
	first := login(t, n, "alice")
	h := hello(app, "alice", token(t, app, secret, "alice", time.Hour))
	h.DeviceId = "another"
	dial(t, n, wire.Proto{}).welcome(h)
	if code := first.closed(); code != 4409 {
		t.Errorf("the first device was closed with %d, want 4409", code)
	}
	resumed := dial(t, n, wire.Proto{})
	h = hello(app, "alice", token(t, app, secret, "alice", time.Hour))
	h.Resume = true
	resumed.say(helloFrame(h))
	if r, _ := resumed.read(); r.GetKicked().GetReason() != wirepb.Kicked_REASON_OTHER_DEVICE {
		t.Errorf("a resume of the kicked device got %v", r)
	}
}

func TestCommandsReachWhoIsOnlineAndAreNotKept(t *testing.T) {
	n, _ := start(t, options(t))
	bob, alice := login(t, n, "bob"), login(t, n, "alice")
	s := text("bob", "\x00\xff")
	s.Type = 2
	if ack := alice.sent(s); ack.Seq != 0 || ack.MessageId == "" {
		t.Errorf("ack %v", ack)
	}
	if m := bob.push(); m.Type != 2 || bodyOf(m.Content) != "\x00\xff" || m.Seq != 0 {
		t.Errorf("push %v", m)
	}
	if page := bob.history(&wirepb.QueryMessages{Conversation: to("alice"), Count: 1}); page.HeadSeq != 0 {
		t.Errorf("a command was kept: %v", page)
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	n, _ := start(t, options(t))
	alice := login(t, n, "alice")
	stranger := dial(t, n, wire.Proto{})
	stranger.welcome(hello(otherApp, "bob", token(t, otherApp, otherSecret, "bob", time.Hour)))
	if e := alice.ask(sendFrame(text("bob", "hi"))).GetError(); e.GetCode() != uint32(chat.CodeNoSuchTarget) {
		t.Errorf("sending to a user of another app: %v", e)
	}
}

func TestAnExpiringTokenIsAnnouncedThenEnforced(t *testing.T) {
	o := options(t)
	var ahead atomic.Int64 // of the real clock
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	o.Timing = connection.Timing{Hello: 5 * time.Second, Heartbeat: 10 * time.Second, Silence: time.Hour}
	n, _ := start(t, o)
	p := dial(t, n, wire.Proto{})
	p.welcome(hello(app, "alice", token(t, app, secret, "alice", 2*time.Minute)))

	ahead.Store(int64(100 * time.Second))
	r, _ := p.read()
	if s := r.GetTokenExpiring().GetSeconds(); s < 10 || s > 20 {
		t.Fatalf("20 s before the end came %v", r)
	}
	renewed := p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_RenewToken{RenewToken: &wirepb.RenewToken{Token: token(t, app, secret, "alice", 5*time.Minute)}}})
	if renewed.GetRenewToken() == nil {
		t.Fatalf("renew: %v", renewed)
	}
	ahead.Store(int64(4 * time.Minute))
	if r := p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}}); r.GetPing() == nil {
		t.Fatalf("within the renewed token: %v", r)
	}
	ahead.Store(int64(6 * time.Minute))
	if code := p.closed(); code != 4410 {
		t.Errorf("closed with %d, want 4410", code)
	}
}
