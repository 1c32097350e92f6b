package session_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// wire is the way to the other nodes, with what was sent there.
type wire chan *peerpb.Envelope

func (w wire) Send(_ storage.NodeID, m *peerpb.Message) bool {
	w <- m.Envelope
	return true
}
func (wire) Queued(storage.NodeID) int { return 1 }

// next waits for a message of a kind.
func (w wire) next(t *testing.T, number uint32) *peerpb.Envelope {
	t.Helper()
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	for {
		select {
		case e := <-w:
			if e.Type == number {
				return e
			}
		case <-late.C:
			t.Fatalf("no message of type %d was sent", number)
		}
	}
}

// TestAClockThatIsSetLosesNoDevice has a node come back before its devices are
// given up, and the clock set forth in between.
func TestAClockThatIsSetLosesNoDevice(t *testing.T) {
	var ahead atomic.Int64
	away := make(wire, 100)
	d, _ := begin(t, time.Now(), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, away)
	d.Up("n2")
	tell := func(m any, from *actor.PID) {
		t.Helper()
		if err := d.Send(directory.SessionOf(ann), m, from); err != nil {
			t.Fatal(err)
		}
	}
	tell(&actorpb.Attach{Request: 1, AppId: uint32(ann.App), UserId: ann.ID, DeviceId: "phone"}, actor.NewPID("n2", "c/1"))
	away.next(t, actorpb.Number(&actorpb.Attached{}))
	ahead.Store(int64(10 * time.Second))
	tell(directory.Gone{Node: "n2", Spare: 9 * time.Second}, nil)
	tell(&actorpb.Ask{Request: 2}, actor.NewPID("n2", "c/1")) // refused after the session has heard of the node
	away.next(t, actorpb.Number(&actorpb.Answer{}))
	d.SendLive(directory.SessionOf(ann), &actorpb.Deliver{Frame: []byte("a push")})
	var push actorpb.Deliver
	if err := push.UnmarshalVT(away.next(t, actorpb.Number(&push)).Body); err != nil || !slices.Equal(push.Connections, []string{"c/1"}) {
		t.Errorf("the push goes to %v: %v", push.Connections, err)
	}
}
