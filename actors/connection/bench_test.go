package connection

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// echo is a conversation that acknowledges whatever is sent.
type echo struct{ bytes int }

var echoes = ask.List(ask.On((*echo).send))

func (e *echo) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(*actorpb.Ask); ok {
		echoes.Serve(e, ctx, m)
	}
}

func (e *echo) send(_ *ask.Call, q *wirepb.SendMessage) (*wirepb.SendMessageReply, error) {
	e.bytes += len(q.Content)
	return &wirepb.SendMessageReply{MessageId: "abcdefghijklmnop-12345", Seq: 12345, OrderKey: 1796071211700000, TimestampMs: 1796071211700}, nil
}

// counting is a socket that counts what is written.
type counting struct {
	tokens chan struct{}
	left   atomic.Int64
	done   chan struct{}
}

func (c *counting) Write(message []byte, _ int) bool {
	if len(message) < 20 {
		panic("short")
	}
	<-c.tokens
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
	return true
}
func (*counting) Authenticated()       {}
func (*counting) Close(uint16, string) {}

// BenchmarkSend takes a client's frame through the connection and the directory
// to a handler, and its reply back to a frame, 128 at a time.
func BenchmarkSend(b *testing.B) {
	w := newWorld(b)
	w.o.Directory.Register(directory.Conversation, func(directory.Activation) actor.Actor { return &echo{} })
	s := &counting{tokens: make(chan struct{}, 128), done: make(chan struct{})}
	s.left.Store(int64(b.N))
	var connections [500]*Connection // no user sends more than it may
	for i := range connections {
		c, user := New(w.o, s, wire.Proto{}), chat.UserKey{App: 1, ID: fmt.Sprint("user", i)}
		c.phase, c.user, c.account = welcome, user, w.o.Admission.Open(user, 0)
		connections[i] = c
	}
	frame, err := wire.Proto{}.EncodeClient(&wirepb.ClientFrame{Id: 0x0fffffff, Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "user-000124"},
		ClientMessageId: make([]byte, 16), IssuedAtMs: 1796071211696, Type: 1,
		Content: wirepb.EncodeContent(&chat.Message{Priority: 2, Body: bytes.Repeat([]byte("x"), 200)}),
	}}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		s.tokens <- struct{}{}
		id := uint32(n)%(1<<27) | 1<<27 // as many bytes as the one in its place
		for i := range 4 {
			frame[1+i] = byte(id>>(7*i)) | 0x80
		}
		frame[4] &^= 0x80
		connections[n%len(connections)].Receive(frame, false)
	}
	<-s.done
}
