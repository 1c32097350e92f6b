package directory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
)

// device is a connection that tells the pushes that it gets.
type device struct {
	pid *actor.PID
	got chan string
	do  func() // when one comes
}

func (d *device) SendUserMessage(_ *actor.PID, message any) {
	if d.do != nil {
		d.do()
	}
	d.got <- string(message.(*actorpb.Deliver).Frame)
}
func (*device) SendSystemMessage(*actor.PID, any) {}
func (*device) Stop(*actor.PID)                   {}

func (w *world) device(name string) *device {
	d := &device{got: make(chan string, 100)}
	d.pid, _ = w.system.ProcessRegistry.Add(d, name)
	return d
}

func push(frame, origin string) *actorpb.Deliver {
	return &actorpb.Deliver{Frame: []byte(frame), Origin: origin}
}

func TestPushesGoToTheConnectionsButTheirOrigin(t *testing.T) {
	done := make(chan struct{})
	w := newWorld(t, func(act directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case []*actor.PID:
			act.PushTo(m)
			done <- struct{}{}
		case *actorpb.Deliver:
			t.Error("the actor gets a push that is for its connections")
		case chan struct{}: // it is busy
			<-m
		}
	})
	phone, laptop := w.device("phone"), w.device("laptop")
	w.send(ann, []*actor.PID{phone.pid, laptop.pid}, nil)
	<-done
	busy := make(chan struct{})
	w.send(ann, busy, nil)
	w.directory.SendLive(ann, push("one", "laptop"))
	w.directory.SendLive(ann, push("two", "phone"))
	w.directory.SendLive(ann, push("three", ""))
	close(busy)
	want := map[*device][]string{phone: {"one", "three"}, laptop: {"two", "three"}}
	for d, frames := range want {
		for _, frame := range frames {
			if got := <-d.got; got != frame {
				t.Errorf("%s gets %q, want %q", d.pid.Id, got, frame)
			}
		}
	}
	w.send(ann, []*actor.PID{}, nil)
	<-done
	w.directory.SendLive(ann, push("for nobody", ""))
	if len(phone.got)+len(laptop.got) != 0 {
		t.Error("a connection that has gone gets a push")
	}
}

// TestAPushIsHandedOnWithNothingLocked: a connection that is cut as it does not
// read detaches, while the actor is being made or dropped by others.
func TestAPushIsHandedOnWithNothingLocked(t *testing.T) {
	done := make(chan struct{})
	w := newWorld(t, func(act directory.Activation, ctx actor.Context) {
		if m, ok := ctx.Message().([]*actor.PID); ok {
			act.PushTo(m)
			close(done)
		}
	})
	d := w.device("phone")
	w.send(ann, []*actor.PID{d.pid}, nil)
	<-done
	d.do = func() {
		lost := make(chan struct{})
		go func() {
			defer close(lost)
			w.directory.Lost(w.directory.Shard(ann)) // waits for whoever reads the stripe
		}()
		select {
		case <-lost:
		case <-time.After(10 * time.Second):
			t.Error("a push is handed on with the shard locked")
		}
	}
	w.directory.SendLive(ann, push("one", ""))
}

// TestAPushForOtherNodesGoesThereOnce: to the relay of the node, for all of its
// connections.
func TestAPushForOtherNodesGoesThereOnce(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n1, n2 := n.all["n1"], n.all["n2"]
	n1.lead(3)
	n2.heard("n1")
	relay := &relayProbe{got: make(chan *actorpb.Deliver, 10)}
	n2.system.ProcessRegistry.Add(relay, directory.RelayProcess)
	a := n2.asker("c/1")
	if err := n2.dir.Send(ann, &actorpb.Attach{Request: 1}, a.pid); err != nil {
		t.Fatal(err)
	}
	a.answer(1)
	n2.dir.SendLive(ann, push("one", "")) // from the other node, to the session, and back
	n1.dir.SendLive(ann, push("two", ""))
	var got []string
	for range 2 {
		select {
		case m := <-relay.got:
			got = append(got, string(m.Frame))
			if !slices.Equal(m.Connections, []string{"c/1", "c/2"}) {
				t.Errorf("%q is for %v", m.Frame, m.Connections)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the relay got %v", got)
		}
	}
	if slices.Sort(got); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("the relay got %v", got)
	}
}

type relayProbe struct{ got chan *actorpb.Deliver }

func (r *relayProbe) SendUserMessage(_ *actor.PID, m any) {
	r.got <- actor.UnwrapEnvelopeMessage(m).(*actorpb.Deliver)
}
func (*relayProbe) SendSystemMessage(*actor.PID, any) {}
func (*relayProbe) Stop(*actor.PID)                   {}
