package session_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/actors/session"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

func limits(chat.AppID) chat.Limits { return chat.DefaultLimits() }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a shard's actor; ann's conversations there all hold one message, of a
// time.
type shelf struct{ time time.Time }

func (s shelf) Receive(ctx actor.Context) {
	m, ok := ctx.Message().(*actorpb.Look)
	if !ok {
		return
	}
	seen := &actorpb.Seen{Request: m.Request}
	for _, k := range m.Conversations {
		peer, _ := k.Chat().Other("ann")
		last := chat.Entry{Seq: 1, Sender: peer, Time: s.time.UnixMilli(), Kind: chat.EntryMessage, Type: chat.TypeText, Content: wirepb.EncodeContent(&chat.Message{Body: []byte("hi")})}
		seen.Heads = append(seen.Heads, &actorpb.HeadSeen{Head: &logpb.Head{Seq: 1, TimeMs: last.Time, Counted: 1}, Last: logpb.From[logpb.Entry](&last)})
	}
	ctx.Send(ctx.Sender(), seen)
}

// device is a connection that tells what it gets.
type device chan any

func (d device) SendUserMessage(_ *actor.PID, message any) {
	d <- actor.UnwrapEnvelopeMessage(message)
}
func (device) SendSystemMessage(*actor.PID, any) {}
func (device) Stop(*actor.PID)                   {}

func (d device) next(t *testing.T) any {
	t.Helper()
	select {
	case m := <-d:
		return m
	case <-time.After(5 * time.Second):
		t.Fatal("the device got nothing")
		return nil
	}
}

// pushed is whose message comes next.
func (d device) pushed(t *testing.T) (sender string) {
	t.Helper()
	m, ok := d.next(t).(*actorpb.Deliver)
	if !ok {
		t.Fatalf("the device got %v, want a push", m)
	}
	var f wirepb.ServerFrame
	if err := f.UnmarshalVT(m.Frame); err != nil {
		t.Fatal(err)
	}
	return f.GetMessage().GetSenderId()
}

// begin runs a node that leads the only shard; messages are of a time.
func begin(t *testing.T, messages time.Time, now func() time.Time, peers directory.Peers) (*directory.Directory, *actor.ActorSystem) {
	t.Helper()
	gained := make(chan struct{}, 1)
	host, err := replication.New(replication.Options{
		Store: memory.New(1, "n1"), Shards: 1, Voters: []storage.NodeID{"n1"}, Now: time.Now, Fatal: func(err error) { t.Error(err) },
		Gained: func(s storage.ShardID, _ storage.Term) {
			if s == 1 {
				gained <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	host.Start()
	<-gained
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond)) // its goroutine lives that long
	d := directory.New(directory.Options{System: system, Replicator: host, Peers: peers, Idle: time.Hour, Log: quiet})
	d.Register(directory.Shard, func(directory.Activation) actor.Actor { return shelf{messages} })
	d.Register(directory.Session, session.New(session.Options{System: system, Replicator: host, Tables: session.NewTables(), Limits: limits, Now: now}))
	d.Start()
	t.Cleanup(func() {
		ctx := context.Background()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := host.Close(ctx); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return d, system
}

// attached runs the session of ann, with one device; messages are of a time.
func attached(t *testing.T, messages time.Time) (*directory.Directory, device) {
	t.Helper()
	d, phone, _ := attachedAs(t, messages)
	return d, phone
}

func attachedAs(t *testing.T, messages time.Time) (*directory.Directory, device, *actor.PID) {
	t.Helper()
	d, system := begin(t, messages, time.Now, nil)
	phone := make(device, 10)
	pid, _ := system.ProcessRegistry.Add(phone, "phone")
	attach := &actorpb.Attach{Request: 1, AppId: uint32(ann.App), UserId: ann.ID, DeviceId: "phone"}
	if err := d.Send(directory.SessionOf(ann), attach, pid); err != nil {
		t.Fatal(err)
	}
	if m, ok := phone.next(t).(*actorpb.Attached); !ok {
		t.Fatalf("the device got %v, want that it is attached", m)
	}
	return d, phone, pid
}

var ann = chat.UserKey{App: 1, ID: "ann"}

func with(peer string) chat.ConversationKey { return chat.PeerConversation(ann.App, ann.ID, peer) }

func TestAMessageFromBeforeTheDeviceIsPushedWhenItsConversationOpens(t *testing.T) {
	d, phone := attached(t, time.Now().Add(-time.Hour))
	d.Opened(ann, with("bob"))
	if from := phone.pushed(t); from != "bob" {
		t.Errorf("a message of %q is pushed", from)
	}
}

func TestANewMessageIsPushedAgainOnlyWhenPushesMayHaveBeenLost(t *testing.T) {
	d, phone := attached(t, time.Now().Add(time.Hour))
	d.Opened(ann, with("bob")) // in calm times: its push came
	if err := d.Send(directory.SessionOf(ann), directory.Recheck{Since: time.Second}, nil); err != nil {
		t.Fatal(err)
	}
	d.Opened(ann, with("carol"))
	if from := phone.pushed(t); from != "carol" {
		t.Errorf("a message of %q is pushed first, want carol's alone", from)
	}
}

// TestADeviceThatAttachesAgainGetsWhatItMissed: this node has begun a moment ago and
// does not know what was said before, so the session looks.
func TestADeviceThatAttachesAgainGetsWhatItMissed(t *testing.T) {
	d, phone, pid := attachedAs(t, time.Now())
	marked := &wirepb.ClearUnread{Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "bob"}}
	if err := d.Send(directory.SessionOf(ann), asking(2, "ClearUnread", marked), pid); err != nil {
		t.Fatal(err)
	}
	if a, ok := phone.next(t).(*actorpb.Answer); !ok || a.Error != nil {
		t.Fatalf("got %v, want that bob's conversation is read", a)
	}
	again := &actorpb.Attach{Request: 3, AppId: uint32(ann.App), UserId: ann.ID, DeviceId: "phone", Resume: true, MissedMs: 100}
	if err := d.Send(directory.SessionOf(ann), again, pid); err != nil {
		t.Fatal(err)
	}
	for {
		if m, ok := phone.next(t).(*actorpb.Deliver); ok {
			var f wirepb.ServerFrame
			if err := f.UnmarshalVT(m.Frame); err == nil && f.GetMessage().GetSenderId() == "bob" {
				return
			}
		}
	}
}
