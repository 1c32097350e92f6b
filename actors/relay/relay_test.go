package relay_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/relay"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

const shards = 4

// connection notes what it gets.
type connection struct {
	user    chat.UserKey
	missed  []time.Duration
	moves   int
	pushes  []string
	created *actor.PID
}

func (c *connection) Reattach(missed time.Duration) { c.missed = append(c.missed, missed) }
func (c *connection) Reconnect(time.Duration)       { c.moves++ }

func (c *connection) SendUserMessage(_ *actor.PID, m any) {
	c.pushes = append(c.pushes, string(m.(*actorpb.Deliver).Frame))
}
func (*connection) SendSystemMessage(*actor.PID, any) {}
func (*connection) Stop(*actor.PID)                   {}

func begin(t *testing.T, ids ...string) (*actor.ActorSystem, *relay.Relay, []*connection) {
	t.Helper()
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	t.Cleanup(system.Shutdown)
	r := relay.New(system, shards)
	var all []*connection
	for _, id := range ids {
		c := &connection{user: chat.UserKey{App: 1, ID: id}}
		c.created, _ = system.ProcessRegistry.Add(c, id)
		r.Add(c.user, id, c)
		all = append(all, c)
	}
	return system, r, all
}

func TestEachConnectionCountsOnce(t *testing.T) {
	_, r, all := begin(t, "a", "b")
	r.Add(all[0].user, "a", all[0])
	if r.Count() != 2 {
		t.Errorf("%d connections, want 2", r.Count())
	}
	for range 2 {
		r.Remove(all[0].user, "a")
	}
	if r.Count() != 1 {
		t.Errorf("%d connections are left, want 1", r.Count())
	}
}

func TestOnlyConnectionsOfTheMovedShardAttachAgain(t *testing.T) {
	_, r, all := begin(t, "a", "b", "c", "d", "e", "f", "g", "h")
	moved := storage.UserShard(shards, all[0].user)
	r.Remove(all[7].user, "h")
	r.Moved(moved, time.Second)
	r.Reconnect(time.Minute)
	for _, c := range all[:7] {
		var want []time.Duration
		if storage.UserShard(shards, c.user) == moved {
			want = []time.Duration{time.Second}
		}
		if !slices.Equal(c.missed, want) || c.moves != 1 {
			t.Errorf("%s attaches again for %v, want %v, and moves %d times", c.user.ID, c.missed, want, c.moves)
		}
	}
	if len(all[7].missed)+all[7].moves != 0 {
		t.Error("a connection that has left is called")
	}
}

func TestAPushReachesThoseThatItNamesInOrder(t *testing.T) {
	system, _, all := begin(t, "a", "b", "c")
	system.ProcessRegistry.Remove(all[2].created)
	pid := actor.NewPID(system.Address(), directory.RelayProcess)
	for _, frame := range []string{"one", "two"} {
		system.Root.Send(pid, &actorpb.Deliver{Frame: []byte(frame), Connections: []string{"c", "a", "nobody"}})
	}
	if !slices.Equal(all[0].pushes, []string{"one", "two"}) || all[1].pushes != nil || all[2].pushes != nil {
		t.Errorf("a gets %v, b %v, c, which has closed, %v", all[0].pushes, all[1].pushes, all[2].pushes)
	}
}
