package client_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests; nothing takes that long.
const patience = 10 * time.Second

const peerKind = wirepb.ConversationKind_CONVERSATION_KIND_PEER

// fake is a node of one user's view: peer conversations in memory, with dedupe,
// pushes, history and heads. A test changes its answers through on.
type fake struct {
	t   *testing.T
	srv *httptest.Server

	mu    sync.Mutex
	logs  map[string][]*wirepb.Message // by peer; seq i+1 stands at i
	order []string                     // peers, latest last
	keys  map[string]uint64            // their order keys
	when  map[string]uint64            // times of their last messages
	conns []*fakeConn
	seen  []*wirepb.ClientFrame
	// on, when set, sees each frame first; true means that it has answered.
	on func(c *fakeConn, f *wirepb.ClientFrame) bool

	writes                 uint64
	heartbeatMS, timeoutMS uint32
	frameBytes             uint32   // the limit that it tells; 0: none
	servers                []string // that it tells of
}

// serverNow is the node's clock: an hour ahead of the client's.
func serverNow() uint64 { return uint64(time.Now().Add(time.Hour).UnixMilli()) }

type fakeConn struct {
	f  *fake
	ws *websocket.Conn
	// user is known after hello.
	user string
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, logs: map[string][]*wirepb.Message{}, keys: map[string]uint64{}, when: map[string]uint64{}, heartbeatMS: 60_000, timeoutMS: 60_000}
	f.srv = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.cut()
		f.srv.Close()
	})
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.SubprotocolProto}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	c := &fakeConn{f: f, ws: ws}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		frame := new(wirepb.ClientFrame)
		err = frame.UnmarshalVT(data)
		if err != nil {
			ws.Close(4400, "malformed")
			return
		}
		f.mu.Lock()
		f.seen = append(f.seen, frame)
		on := f.on
		f.mu.Unlock()
		if on == nil || !on(c, frame) {
			c.answer(frame)
		}
	}
}

// answer is what a well-behaved node says.
func (c *fakeConn) answer(q *wirepb.ClientFrame) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	switch b := q.Body.(type) {
	case *wirepb.ClientFrame_Hello:
		c.user = b.Hello.UserId
		c.say(q.Id, &wirepb.ServerFrame_Hello{Hello: &wirepb.HelloReply{
			ProtocolVersion: 1, ServerTimeMs: serverNow(),
			HeartbeatIntervalMs: c.f.heartbeatMS, HeartbeatTimeoutMs: c.f.timeoutMS,
			Limits: &wirepb.Limits{FrameBytes: c.f.frameBytes}, Servers: c.f.servers,
		}})
	case *wirepb.ClientFrame_Ping:
		c.say(q.Id, &wirepb.ServerFrame_Ping{Ping: &wirepb.PingReply{}})
	case *wirepb.ClientFrame_SendMessage:
		c.say(q.Id, &wirepb.ServerFrame_SendMessage{SendMessage: c.f.store(b.SendMessage.Conversation.Id, c.user, b.SendMessage)})
	case *wirepb.ClientFrame_QueryMessages:
		c.say(q.Id, &wirepb.ServerFrame_QueryMessages{QueryMessages: c.f.page(b.QueryMessages)})
	case *wirepb.ClientFrame_ListConversations:
		c.say(q.Id, &wirepb.ServerFrame_ListConversations{ListConversations: c.f.list(b.ListConversations)})
	case *wirepb.ClientFrame_ClearUnread:
		c.say(q.Id, &wirepb.ServerFrame_ClearUnread{ClearUnread: &wirepb.ClearUnreadReply{
			Conversation: b.ClearUnread.Conversation, ReadSeq: uint64(len(c.f.logs[b.ClearUnread.Conversation.Id])),
		}})
	case *wirepb.ClientFrame_RenewToken:
		c.say(q.Id, &wirepb.ServerFrame_RenewToken{RenewToken: &wirepb.RenewTokenReply{TokenExpiresAtMs: 5000}})
	case *wirepb.ClientFrame_Goodbye:
		c.ws.Close(websocket.StatusNormalClosure, "")
	}
}

// say sends a frame; the other side may be gone.
func (c *fakeConn) say(replyTo uint32, body wirepb.ServerBody) {
	data, err := wirepb.NewServerFrame(replyTo, body).MarshalVT()
	if err != nil {
		panic(err)
	}
	_ = c.ws.Write(context.Background(), websocket.MessageBinary, data)
}

func (c *fakeConn) refuse(replyTo uint32, code chat.Code, retryable bool) {
	c.say(replyTo, &wirepb.ServerFrame_Error{Error: &wirepb.Error{Code: uint32(code), Message: "refused by the test", Retryable: retryable}})
}

// store appends a message to the conversation with peer; with the lock held.
func (f *fake) store(peer, sender string, s *wirepb.SendMessage) *wirepb.SendMessageReply {
	if s.Type == uint32(chat.TypeCommand) {
		return &wirepb.SendMessageReply{MessageId: "passing"}
	}
	for _, m := range f.logs[peer] {
		if bytes.Equal(m.ClientMessageId, s.ClientMessageId) {
			return &wirepb.SendMessageReply{MessageId: m.MessageId, Seq: m.Seq, OrderKey: m.OrderKey, Duplicate: true}
		}
	}
	seq := uint64(len(f.logs[peer]) + 1)
	target := peer
	if sender == peer {
		target = "me"
	}
	f.logs[peer] = append(f.logs[peer], &wirepb.Message{
		Kind: peerKind, SenderId: sender, TargetId: target, MessageId: "m", Seq: seq, OrderKey: seq * 10,
		Type: s.Type, Content: s.Content, ClientMessageId: s.ClientMessageId,
	})
	if i := slices.Index(f.order, peer); i >= 0 {
		f.order = slices.Delete(f.order, i, i+1)
	}
	f.order = append(f.order, peer)
	f.writes++
	f.keys[peer], f.when[peer] = f.writes, serverNow()
	return &wirepb.SendMessageReply{MessageId: "m", Seq: seq, OrderKey: seq * 10}
}

func (f *fake) page(h *wirepb.QueryMessages) *wirepb.QueryMessagesReply {
	log := f.logs[h.Conversation.Id]
	page := &wirepb.QueryMessagesReply{HeadSeq: uint64(len(log))}
	for _, m := range log {
		if m.Seq > h.AfterSeq && (h.BeforeSeq == 0 || m.Seq < h.BeforeSeq) {
			page.Messages = append(page.Messages, m)
		}
	}
	if n := int(h.Count); len(page.Messages) > n && h.NewestFirst {
		page.Messages = page.Messages[len(page.Messages)-n:]
	} else if len(page.Messages) > n {
		page.Messages = page.Messages[:n]
	}
	if n := len(page.Messages); n > 0 {
		page.FirstSeq, page.LastSeq = page.Messages[0].Seq, page.Messages[n-1].Seq
	}
	return page
}

// list serves pages of two, so that paging is used.
func (f *fake) list(l *wirepb.ListConversations) *wirepb.ListConversationsReply {
	page := &wirepb.ListConversationsReply{TotalUnread: proto.Uint64(7)}
	rest := slices.Clone(f.order)
	slices.Reverse(rest)
	if l.BeforeOrderKey != 0 {
		rest = slices.DeleteFunc(rest, func(peer string) bool { return f.keys[peer] >= l.BeforeOrderKey })
	}
	rest = slices.DeleteFunc(rest, func(peer string) bool { return f.when[peer] < l.ChangedSinceMs })
	page.Complete = len(rest) <= 2
	for _, peer := range rest[:min(2, len(rest))] {
		log := f.logs[peer]
		page.Conversations = append(page.Conversations, &wirepb.Conversation{
			Ref: &wirepb.ConversationRef{Kind: peerKind, Id: peer}, Name: strings.ToUpper(peer), HeadSeq: uint64(len(log)),
			Unread: 3, ReadSeq: 1, OrderKey: f.keys[peer], LastMessage: log[len(log)-1],
		})
	}
	return page
}

// write stores messages from peer and gives them.
func (f *fake) write(peer string, texts ...string) []*wirepb.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range texts {
		id := chat.ClientMessageID{0: 0xff}
		binary.BigEndian.PutUint64(id[8:], uint64(len(f.logs[peer])))
		f.store(peer, peer, &wirepb.SendMessage{Type: uint32(chat.TypeText), Content: saying(text), ClientMessageId: id[:]})
	}
	log := f.logs[peer]
	return log[len(log)-len(texts):]
}

// push sends messages on the newest connection.
func (f *fake) push(messages ...*wirepb.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.conns[len(f.conns)-1]
	for _, m := range messages {
		c.say(0, &wirepb.ServerFrame_Message{Message: m})
	}
}

// pushBody sends any push on the newest connection.
func (f *fake) pushBody(body wirepb.ServerBody) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[len(f.conns)-1].say(0, body)
}

// cut drops all connections without a word.
func (f *fake) cut() {
	f.mu.Lock()
	conns := f.conns
	f.mu.Unlock()
	for _, c := range conns {
		c.ws.CloseNow()
	}
}

func (f *fake) intercept(on func(c *fakeConn, f *wirepb.ClientFrame) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = on
}

func (f *fake) texts(peer string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, m := range f.logs[peer] {
		out = append(out, said(m.Content))
	}
	return out
}

// frames gives what was heard that pick finds something in.
func frames[T any](f *fake, pick func(*wirepb.ClientFrame) *T) []*T {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*T
	for _, frame := range f.seen {
		if v := pick(frame); v != nil {
			out = append(out, v)
		}
	}
	return out
}
