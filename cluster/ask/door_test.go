package ask

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// only leads the only shard.
type only struct{ storage.Replicator }

func (only) Shards() int                                  { return 1 }
func (only) Leader(storage.ShardID) (storage.Term, error) { return 1, nil }

// newDoor gives a door to a session that hands what it is asked to the test.
func newDoor(t *testing.T) (*Door, chan *Call) {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	calls := make(chan *Call, 100)
	handlers := List(On(func(_ chan *Call, c *Call, _ *wirepb.ListConversations) (*wirepb.ListConversationsReply, error) {
		calls <- c
		return nil, nil
	}))
	d := directory.New(directory.Options{System: system, Replicator: only{}, Node: "n", Idle: time.Minute, Log: quiet})
	d.Register(directory.Session, func(directory.Activation) actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*actorpb.Ask); ok {
				handlers.Serve(calls, ctx, m)
			}
		})
	})
	d.Start()
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Error(err)
		}
		system.Shutdown()
	})
	return NewDoor(DoorOptions{
		System: system, Directory: d, Admission: NewAdmission(), Meter: NewMeter(quiet),
		Limits: func(chat.AppID) chat.Limits { return chat.DefaultLimits() },
	}), calls
}

func TestADoorBoundsWhoAsksAndForgetsWhoHasGone(t *testing.T) {
	door, calls := newDoor(t)
	list := method.ByPath("ListConversations")
	ctx, leave := context.WithCancel(t.Context())
	results := make(chan error, maxUserConnections)
	for range maxUserConnections {
		go func() {
			_, err := door.Ask(ctx, ann, list, nil, nil)
			results <- err
		}()
	}
	var last *Call
	for range maxUserConnections {
		last = <-calls
	}
	if _, err := door.Ask(t.Context(), ann, list, nil, nil); chat.CodeOf(err) != chat.CodeBusy {
		t.Errorf("one too many: %v", err)
	}
	bob := chat.UserKey{App: ann.App, ID: "bob"}
	bobs := make(chan *actorpb.Answer, 1)
	go func() {
		answer, err := door.Ask(t.Context(), bob, list, make([]byte, 16), nil)
		if err != nil {
			t.Error(err)
		}
		bobs <- answer
	}()
	call := <-calls
	if call.User() != bob || len(call.RequestId) != 16 || call.Origin != "" || call.Source() != "u/7/bob" || call.DeadlineMs == 0 {
		t.Errorf("the call is %v", call)
	}
	call.Answer(&wirepb.ListConversationsReply{Complete: true})
	if answer := <-bobs; answer == nil || !answer.Reply.(*wirepb.ListConversationsReply).Complete {
		t.Errorf("another user hears %v", answer)
	}
	leave()
	for range maxUserConnections {
		if err := <-results; chat.CodeOf(err) != chat.CodeTimeout {
			t.Errorf("who has gone hears %v", err)
		}
	}
	last.Answer(&wirepb.ListConversationsReply{}) // to nobody
	door.mu.Lock()
	defer door.mu.Unlock()
	if door.waiting.Len() != 0 || door.o.Admission.Waiting() != 0 {
		t.Errorf("nobody waits, and %d are kept, %d counted", door.waiting.Len(), door.o.Admission.Waiting())
	}
}

func TestADoorRefusesAFloodWithTheTimeToWait(t *testing.T) {
	door, calls := newDoor(t)
	go func() {
		for c := range calls {
			c.Answer(&wirepb.ListConversationsReply{})
		}
	}()
	defer func() { close(calls) }()
	list := method.ByPath("ListConversations")
	for n := range 100 * rates[list.Rate].burst {
		_, err := door.Ask(t.Context(), ann, list, nil, nil)
		var e *chat.Error
		switch {
		case err == nil:
		case errors.As(err, &e) && e.Code == chat.CodeBusy && e.RetryAfter > 0 && n >= rates[list.Rate].burst:
			return
		default:
			t.Fatalf("request %d: %v", n, err)
		}
	}
	t.Error("everything is answered")
}
