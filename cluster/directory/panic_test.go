package directory_test

import (
	"log"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// TestAnActorThatPanickedHearsNothingMore: what answers its questions must not
// reach the next activation, which knows nothing of them.
func TestAnActorThatPanickedHearsNothingMore(t *testing.T) {
	type heard struct {
		pid     *actor.PID
		message any
	}
	got, handling, goOn := make(chan heard, 100), make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(_ directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actorpb.Ask:
			if m.Request == 1 {
				close(handling)
				<-goOn
				panic("a bug")
			}
			ctx.Send(ctx.Sender(), actorpb.NewAnswer(m.Request, nil))
			got <- heard{ctx.Self(), m}
		case *actor.Started, *actor.Stopping, *actor.Stopped:
			got <- heard{ctx.Self(), m}
			if _, stopping := m.(*actor.Stopping); stopping {
				panic("another bug, of what answers who still waits")
			}
		case string:
			got <- heard{ctx.Self(), m}
		}
	})
	hear := func() heard {
		t.Helper()
		select {
		case h := <-got:
			return h
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came")
			return heard{}
		}
	}
	pid, answers := w.sink()
	w.send(ann, &actorpb.Ask{Request: 1}, pid)
	<-handling
	first := hear().pid // has started
	w.send(ann, &actorpb.Ask{Request: 2}, pid)
	w.send(ann, &actorpb.Ask{Request: 3}, pid)
	close(goOn)
	for _, want := range []uint32{1, 2, 3} {
		if m := (<-answers).(interface{ GetRequest() uint32 }); m.GetRequest() != want {
			t.Errorf("the answer is %v, want that of %d", m, want)
		}
	}
	w.system.Root.Send(first, "an answer to what the first one asked")
	w.send(ann, "the end", nil)
	var second *actor.PID
	for second == nil {
		switch h := hear(); h.message.(type) {
		case *actorpb.Ask:
			second = h.pid
			if second.Equal(first) {
				t.Fatalf("the next activation has the PID of the one that panicked, %v", second)
			}
		case string:
			t.Fatalf("%v hears %v", h.pid, h.message)
		}
	}
	for h := hear(); h.message != "the end"; h = hear() {
		if _, text := h.message.(string); text {
			t.Errorf("%v hears %q", h.pid, h.message)
		}
	}
}

// TestWhatComesAsAPanickedActorEndsIsAnswered sends a request when the actor has
// its last word, and a new one is not there yet.
func TestWhatComesAsAPanickedActorEndsIsAnswered(t *testing.T) {
	var w *world
	var pid *actor.PID
	w = newWorld(t, func(_ directory.Activation, ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actorpb.Ask:
			if m.Request == 1 {
				panic("a bug")
			}
			ctx.Send(ctx.Sender(), actorpb.NewAnswer(m.Request, nil))
		case *actor.Stopped:
			_ = w.directory.Send(ann, &actorpb.Ask{Request: 2}, pid) // refused once the directory closes
		}
	})
	pid, answers := w.sink()
	w.send(ann, &actorpb.Ask{Request: 1}, pid)
	for _, want := range []uint32{1, 2} {
		select {
		case m := <-answers:
			if got := m.(interface{ GetRequest() uint32 }).GetRequest(); got != want {
				t.Errorf("request %d is answered, want %d", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("request %d is answered by nobody", want)
		}
	}
}

// TestAfterAPanicPushesAreLookedFor has a session lose its devices with a panic,
// on a node that others push for.
func TestAfterAPanicPushesAreLookedFor(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n1, n2 := n.all["n1"], n.all["n2"]
	n1.lead(3)
	for range 8 { // n2 hears of the leaders
		next(t, n2.moved, "the leaders", func(storage.ShardID) bool { return true })
	}
	if err := n1.dir.Send(ann, &actorpb.Enroll{}, nil); err != nil { // which panics
		t.Fatal(err)
	}
	shard := n1.dir.Shard(ann)
	next(t, n1.moved, "the panic", func(s storage.ShardID) bool { return s == shard })
	next(t, n2.moved, "the panic", func(s storage.ShardID) bool { return s == shard })
}

// TestALateAnswerMayLeadBackIntoTheDirectory: a connection that is turned away by
// one detaches, while a node is heard of for the first time.
func TestALateAnswerMayLeadBackIntoTheDirectory(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n.all["n2"].lead(3)
	n.all["n2"].set(func(m *member) { m.mute = true })
	n1 := n.all["n1"]
	n1.heard("n2")
	c := &turnedAway{n1: n1, done: make(chan struct{})}
	c.pid, _ = n1.system.ProcessRegistry.Add(c, "c")
	if err := n1.dir.Send(ann, &actorpb.Ask{Request: 1}, c.pid); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		log.Fatal("the directory is locked for good") // no failure: Close would wait for it
	}
}

type turnedAway struct {
	n1   *member
	pid  *actor.PID
	done chan struct{}
}

func (c *turnedAway) SendUserMessage(*actor.PID, any) {
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		c.n1.dir.Connected("newcomer")
	}()
	select {
	case <-heard:
	case <-time.After(100 * time.Millisecond): // it waits for whoever calls here
	}
	_ = c.n1.dir.Send(ann, &actorpb.Detach{}, c.pid)
	<-heard
	close(c.done)
}
func (*turnedAway) SendSystemMessage(*actor.PID, any) {}
func (*turnedAway) Stop(*actor.PID)                   {}

// TestANumberInUseIsRefused: two questions under one number would share an
// answer, and the second asker wait for ever.
func TestANumberInUseIsRefused(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n.all["n2"].lead(3)
	n.all["n1"].heard("n2")
	n.all["n2"].set(func(m *member) { m.mute = true })
	a := n.all["n1"].asker("a")
	a.ask(1)
	if err := n.all["n1"].dir.Send(ann, &actorpb.Ask{Request: 1}, a.pid); chat.CodeOf(err) != chat.CodeInvalidParam {
		t.Errorf("the second question under one number: %v", err)
	}
	n.all["n1"].dir.Down("n2")
	if code := a.answer(1); code != chat.CodeTimeout {
		t.Errorf("the first is answered with %d", code)
	}
	n.all["n1"].dir.Up("n2")
	n.all["n2"].set(func(m *member) { m.mute = false })
	a.ask(1)
	if code := a.answer(1); code != 0 {
		t.Errorf("the number is free again, and refused with %d", code)
	}
}
