package directory_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// nodes are directories that reach each other, as links would have it: in order,
// apart from the sender, encoded in between.
type nodes struct {
	*testing.T
	mu  sync.Mutex
	all map[storage.NodeID]*member
}

// member is one node: its sessions answer a Fetch with the name of the node.
type member struct {
	n      *nodes
	name   storage.NodeID
	system *actor.ActorSystem
	dir    *directory.Directory
	inbox  chan arriving
	stop   chan struct{}
	ended  chan struct{}
	told   chan any // Rechecks and Gones of its sessions
	moved  chan storage.ShardID
	live   chan string // frames that its sessions got

	mu    sync.Mutex
	term  storage.Term    // of all shards; 0: it does not lead
	only  storage.ShardID // that it leads alone; 0: all
	deaf  bool            // drops what others send, without a word
	mute  bool            // does not answer
	lossy bool            // what it sends does not get through
}

type arriving struct {
	from storage.NodeID
	m    *peerpb.Message
}

func newNodes(t *testing.T, names ...storage.NodeID) *nodes {
	n := &nodes{T: t, all: make(map[storage.NodeID]*member)}
	for _, name := range names {
		n.all[name] = n.start(name)
	}
	for _, a := range names {
		for _, b := range names {
			if a != b {
				n.all[a].dir.Up(b)
			}
		}
	}
	return n
}

func (n *nodes) start(name storage.NodeID) *member {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	m := &member{
		n: n, name: name, inbox: make(chan arriving, 1000), stop: make(chan struct{}), ended: make(chan struct{}), told: make(chan any, 1000),
		moved: make(chan storage.ShardID, 1000), live: make(chan string, 1000),
		system: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet })),
	}
	m.dir = directory.New(directory.Options{
		System: m.system, Node: name, Replicator: leads{m: m}, Peers: m, Idle: time.Minute, Log: quiet,
		Moved: func(s storage.ShardID, _ time.Duration) { m.moved <- s },
	})
	m.dir.Age(time.Minute)
	m.dir.Register(directory.Session, func(act directory.Activation) actor.Actor { return m.session(act) })
	m.dir.Register(directory.Shard, func(directory.Activation) actor.Actor { return actor.ReceiveFunc(m.shard) })
	m.dir.Start()
	go func() {
		defer close(m.ended)
		for {
			select {
			case a := <-m.inbox:
				m.dir.Receive(a.from, a.m)
			case <-m.stop:
				return
			}
		}
	}()
	n.Cleanup(func() {
		close(m.stop)
		<-m.ended
		if err := m.dir.Close(context.Background()); err != nil {
			n.Errorf("close: %v", err)
		}
		m.system.Shutdown()
	})
	return m
}

func (m *member) session(act directory.Activation) actor.ReceiveFunc {
	return func(ctx actor.Context) { m.receive(act, ctx) }
}

func (m *member) receive(act directory.Activation, ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actorpb.Attach: // of two devices
		act.PushTo([]*actor.PID{ctx.Sender(), actor.NewPID(ctx.Sender().Address, "c/2")})
		ctx.Send(ctx.Sender(), &actorpb.Attached{Request: msg.Request})
	case *actorpb.Ask:
		m.mu.Lock()
		mute := m.mute
		m.mu.Unlock()
		if !mute {
			ctx.Send(ctx.Sender(), actorpb.NewAnswer(msg.Request, nil))
			m.live <- "asked"
		}
	case *actorpb.Enroll:
		panic("a bug")
	case *actorpb.Deliver:
		m.live <- string(msg.Frame)
	case directory.Recheck, directory.Gone:
		m.told <- msg
	}
}

// shard pushes again, as a frame that says of which conversation.
func (m *member) shard(ctx actor.Context) {
	msg, ok := ctx.Message().(directory.PushAgain)
	if !ok {
		return
	}
	for _, k := range msg.Conversations {
		if _, hers := k.Other(ann.ID); hers && msg.Wants(ann.User()) {
			m.dir.SendLive(ann, &actorpb.Deliver{Frame: []byte("again " + k.ID)})
		}
	}
}

// leads is the node's word on what it leads.
type leads struct {
	storage.Replicator
	m *member
}

func (l leads) Shards() int { return 8 }

func (l leads) Leader(s storage.ShardID) (storage.Term, error) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.term == 0 || l.m.only != 0 && s != l.m.only {
		return 0, chat.Errorf(chat.CodeUnavailable, "lead", "somebody else leads")
	}
	return l.m.term, nil
}

// Send implements directory.Peers over an encoding and a decoding.
func (m *member) Send(to storage.NodeID, msg *peerpb.Message) bool {
	data, err := msg.MarshalVT()
	if err != nil {
		m.n.Error(err)
	}
	var sent peerpb.Message
	if err := sent.UnmarshalVT(data); err != nil {
		m.n.Error(err)
	}
	m.mu.Lock()
	lossy := m.lossy
	m.mu.Unlock()
	m.n.mu.Lock()
	other := m.n.all[to]
	m.n.mu.Unlock()
	if lossy || other == nil {
		return false
	}
	other.mu.Lock()
	deaf := other.deaf
	other.mu.Unlock()
	if !deaf {
		other.inbox <- arriving{m.name, &sent}
	}
	return true
}

// Queued implements directory.Peers.
func (m *member) Queued(storage.NodeID) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lossy {
		return 1
	}
	return 0
}

func (m *member) set(f func(m *member)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m)
}

// lead makes the node the leader of all shards.
func (m *member) lead(term storage.Term) {
	m.set(func(m *member) { m.term = term })
	for s := storage.ShardID(1); s <= 8; s++ {
		m.dir.Gained(s, term)
	}
}

func (m *member) resign() {
	m.set(func(m *member) { m.term = 0 })
	for s := storage.ShardID(1); s <= 8; s++ {
		m.dir.Lost(s)
	}
}

// asker is a process that asks and collects the answers.
type asker struct {
	m   *member
	pid *actor.PID
	got chan any
}

func (m *member) asker(id string) *asker {
	a := &asker{m: m, got: make(chan any, 100)}
	a.pid, _ = m.system.ProcessRegistry.Add(a, id)
	return a
}

func (a *asker) SendUserMessage(_ *actor.PID, message any) {
	a.got <- actor.UnwrapEnvelopeMessage(message)
	_ = a.m.dir.Send(ann, &actorpb.Detach{}, a.pid) // what a connection may do that is turned away
}
func (a *asker) SendSystemMessage(*actor.PID, any) {}
func (a *asker) Stop(*actor.PID)                   {}

func (a *asker) ask(request uint32) {
	if err := a.m.dir.Send(ann, &actorpb.Ask{Request: request}, a.pid); err != nil {
		a.m.n.Errorf("request %d: %v", request, err)
	}
}

// answer gives the code of a refusal, 0 for an answer.
func (a *asker) answer(request uint32) chat.Code {
	a.m.n.Helper()
	select {
	case m := <-a.got:
		if actorpb.RequestOf(m) != request {
			a.m.n.Fatalf("the answer is to %d, want %d", actorpb.RequestOf(m), request)
		}
		if r, ok := m.(*actorpb.Answer); ok && r.Error != nil {
			return chat.Code(r.Error.Code)
		}
		return 0
	case <-time.After(10 * time.Second):
		a.m.n.Fatalf("request %d has no answer", request)
		return 0
	}
}

// next waits for one of a channel's values that fits.
func next[T any](t *testing.T, from <-chan T, what string, fits func(T) bool) {
	t.Helper()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for {
		select {
		case v := <-from:
			if fits(v) {
				return
			}
		case <-late.C:
			t.Fatalf("nobody was told of %s", what)
		}
	}
}

func TestARequestIsAnsweredAcrossNodes(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n.all["n2"].lead(3)
	a := n.all["n1"].asker("a")
	for r := uint32(1); r <= 20; r++ {
		a.ask(r)
		if code := a.answer(r); code != 0 {
			t.Fatalf("request %d: %d", r, code)
		}
	}
	if n.all["n1"].dir.Live() != 0 || n.all["n2"].dir.Live() != 1 {
		t.Errorf("%d live on n1, %d on n2", n.all["n1"].dir.Live(), n.all["n2"].dir.Live())
	}
}

func TestARequestWaitsForALeaderAndFollowsIt(t *testing.T) {
	n := newNodes(t, "n1", "n2", "n3")
	a := n.all["n1"].asker("a")
	a.ask(1)
	n.all["n3"].lead(3)
	if code := a.answer(1); code != 0 {
		t.Errorf("what waited was refused: %d", code)
	}
	n.all["n3"].resign() // of which n1 has not heard
	a.ask(2)
	n.all["n2"].lead(4)
	if code := a.answer(2); code != 0 {
		t.Errorf("what came back was refused: %d", code)
	}
	n.all["n1"].dir.Heard("n3", &actorpb.Leading{Led: []*actorpb.Led{{Shard: 1, Term: 3}, {Shard: 2, Term: 3}}})
	if node, term := n.all["n1"].dir.Leader(1); node != "n2" || term != 4 {
		t.Errorf("the word of an older leader counts: %s in term %d", node, term)
	}
	if served := n.all["n1"].dir.Served(); served != 8 {
		t.Errorf("%d shards are served, want 8", served)
	}
}

func TestWithoutALeaderARequestIsRefusedInTime(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	a := n.all["n1"].asker("a")
	a.ask(1)
	if code := a.answer(1); code != chat.CodeUnavailable {
		t.Errorf("code %d, want Unavailable: nothing was done", code)
	}
	for r := uint32(1); ; r++ {
		err := n.all["n1"].dir.Send(ann, &actorpb.Ask{Request: r}, nil)
		if err == nil && r < 10_000 {
			continue
		}
		if chat.CodeOf(err) != chat.CodeBusy || r < 4000 {
			t.Errorf("after %d that wait: %v, want Busy", r, err)
		}
		return
	}
}

// heard waits until a node knows who leads all shards.
func (m *member) heard(leader storage.NodeID) {
	for s := storage.ShardID(1); s <= 8; {
		if node, _ := m.dir.Leader(s); node == leader {
			s++
		}
	}
}

func TestABrokenConnectionMakesOutcomesUnknown(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n.all["n2"].lead(3)
	n.all["n1"].heard("n2")
	a := n.all["n1"].asker("a")
	n.all["n2"].set(func(m *member) { m.mute = true })
	a.ask(1)
	a.ask(2)
	n.all["n1"].dir.Down("n2")
	for range 2 {
		if m := (<-a.got).(*actorpb.Answer); chat.Code(m.Error.Code) != chat.CodeTimeout {
			t.Errorf("code %d, want Timeout: the outcome is unknown", m.Error.Code)
		}
	}
	// A late answer is not a second one.
	n.all["n1"].dir.Receive("n2", &peerpb.Message{Kind: peerpb.Kind_KIND_ACTOR, Envelope: &peerpb.Envelope{Process: "a", Type: 5, Request: 1}})
	n.all["n2"].set(func(m *member) { m.mute = false })
	a.ask(3)
	n.all["n1"].dir.Up("n2")
	if code := a.answer(3); code != 0 {
		t.Errorf("what waited for the connection was refused: %d", code)
	}
}

func TestAnUnansweredRequestEnds(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n.all["n2"].lead(3)
	n.all["n2"].set(func(m *member) { m.mute = true })
	a := n.all["n1"].asker("a")
	a.ask(1)
	if code := a.answer(1); code != chat.CodeTimeout {
		t.Errorf("code %d, want Timeout", code)
	}
}

func TestAFencedNodeTrustsOnlyFreshWords(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n1, n2 := n.all["n1"], n.all["n2"]
	n2.lead(3)
	n1.heard("n2")
	n1.dir.Fence()
	if node, _ := n1.dir.Leader(1); node != "n2" {
		t.Error("what was heard a moment ago is forgotten")
	}
	old := time.NewTimer(2600 * time.Millisecond)
	for waiting := true; waiting; {
		select {
		case <-old.C:
			waiting = false
		case <-n1.moved:
		}
	}
	n1.dir.Fence()
	if node, term := n1.dir.Leader(1); node != "" || term != 3 {
		t.Errorf("an old word still counts: %s in term %d", node, term)
	}
	a := n1.asker("a")
	a.ask(1)
	n2.dir.Tell(&actorpb.Leading{Led: []*actorpb.Led{{Shard: 1, Term: 3}, {Shard: 2, Term: 3}, {Shard: 3, Term: 3}, {Shard: 4, Term: 3}, {Shard: 5, Term: 3}, {Shard: 6, Term: 3}, {Shard: 7, Term: 3}, {Shard: 8, Term: 3}}})
	if code := a.answer(1); code != 0 {
		t.Errorf("after a fresh word: %d", code)
	}
}

func TestATooLongQueueIsBusyAndABrokenOneIsWaitedFor(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n1, n2 := n.all["n1"], n.all["n2"]
	n2.lead(3)
	n1.heard("n2")
	a := n1.asker("a")
	n1.set(func(m *member) { m.lossy = true })
	if err := n1.dir.Send(ann, &actorpb.Ask{Request: 1}, a.pid); chat.CodeOf(err) != chat.CodeBusy {
		t.Errorf("behind a full queue: %v, want Busy", err)
	}
	n1.set(func(m *member) { m.lossy = false })
	n.mu.Lock()
	delete(n.all, "n2") // the link is gone, its Down not yet said
	n.mu.Unlock()
	a.ask(2)
	n.mu.Lock()
	n.all["n2"] = n2
	n.mu.Unlock()
	n1.dir.Down("n2")
	n1.dir.Up("n2")
	if code := a.answer(2); code != 0 {
		t.Errorf("behind a broken link: %d", code)
	}
}
