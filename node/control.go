package node

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/internal/pending"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// controlProcess is the name under which nodes' controls reach each other.
const controlProcess = "control"

// announceEvery is how often a node repeats what it leads.
const announceEvery = time.Second

// announceGather is how long what has changed waits for what changes with it.
const announceGather = 20 * time.Millisecond

// control is the node's part in running the cluster. This file exchanges with the
// others who leads what, and the registry; ask.go asks another node something;
// placement.go is what the placement driver sees and does; administer.go does what
// operators want.
type control struct {
	n    *Node
	ctx  context.Context // ends with close
	stop context.CancelFunc
	done sync.WaitGroup
	wake chan struct{}

	mu       sync.Mutex
	seen     map[storage.ShardID]seen
	registry *actorpb.Registered // newest that was heard
	calls    pending.Table[call]
	agreed   uint32          // newest version in one
	state    placement.State // this node's, by the registry; empty: not heard of yet
}

// seen is a shard as its leader described it.
type seen struct {
	node storage.NodeID
	*actorpb.Led
}

func newControl(n *Node) *control {
	c := &control{n: n, wake: make(chan struct{}, 1), seen: make(map[storage.ShardID]seen)}
	c.ctx, c.stop = context.WithCancel(context.Background())
	n.system.ProcessRegistry.Add(c, controlProcess)
	return c
}

// run repeats what this node leads.
func (c *control) run() {
	tick := time.NewTicker(announceEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-c.wake:
			wait := time.NewTimer(announceGather)
			select {
			case <-wait.C:
			case <-c.ctx.Done():
				wait.Stop()
				return
			}
		case <-c.ctx.Done():
			return
		}
		c.n.health.observe(time.Now(), c.n.directory.Served(), c.n.o.Shards)
		if led := c.leading(); led != nil {
			c.noteLeading(c.n.store.Node(), led)
			c.n.directory.Tell(led)
		}
		if m := c.registered(); m != nil {
			c.noteRegistry(m)
			c.n.directory.TellAll(controlProcess, m)
		}
		c.n.agree(c.version())
	}
}

func (c *control) close() {
	c.stop()
	c.done.Wait()
}

// leading describes what this node leads.
func (c *control) leading() *actorpb.Leading {
	all, err := c.n.host.Led(c.ctx)
	if err != nil {
		return nil // closing
	}
	m := &actorpb.Leading{Complete: true}
	for _, l := range all {
		led := &actorpb.Led{Shard: uint32(l.Shard), Term: uint64(l.Term), Replicas: l.Descriptor, Applied: l.Applied, Small: l.Small}
		for _, f := range l.Followers {
			led.Followers = append(led.Followers, &actorpb.Follower{Node: string(f.Node), Match: f.Match, CaughtUp: f.CaughtUp})
		}
		m.Led = append(m.Led, led)
	}
	return m
}

// announce has the others know soon.
func (c *control) announce() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// noteLeading keeps what a node says that it leads.
func (c *control) noteLeading(from storage.NodeID, m *actorpb.Leading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := false
	for _, led := range m.Led {
		s := c.seen[storage.ShardID(led.Shard)]
		if led.Replicas == nil || s.Led != nil && led.Term < s.Term {
			continue
		}
		news = news || s.Led == nil || led.Term > s.Term || led.Replicas.Version != s.Replicas.Version
		c.seen[storage.ShardID(led.Shard)] = seen{from, led}
	}
	if news {
		c.n.driver.Nudge()
	}
}

// registered is what the meta group's leader tells the others, nil on those.
func (c *control) registered() *actorpb.Registered {
	term, err := c.n.host.Leader(storage.MetaShard)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, announceEvery)
	defer cancel()
	doc, err := c.n.host.Meta(ctx)
	if err != nil || doc.Version == 0 {
		return nil
	}
	m := &actorpb.Registered{Version: doc.Version, Document: doc.Content, Term: uint64(term)}
	for _, move := range c.n.driver.Moves() {
		m.Moving = append(m.Moving, &actorpb.Moving{
			Shard: uint32(move.Shard), Voters: texts(move.Target.Voters), Learners: texts(move.Target.Learners), SinceMs: move.Since.UnixMilli(),
		})
	}
	for node, silent := range c.n.driver.Silent() {
		m.Silent = append(m.Silent, &actorpb.Silent{Node: string(node), Ms: uint64(silent.Milliseconds())})
	}
	return m
}

// noteRegistry keeps the newest registry and what it makes of this node.
func (c *control) noteRegistry(m *actorpb.Registered) {
	c.mu.Lock()
	if c.registry != nil && (m.Term < c.registry.Term || m.Version < c.registry.Version) {
		c.mu.Unlock()
		return
	}
	c.registry = m
	r, err := placement.Decode(m.Document)
	was := c.state
	if self := r.Node(c.n.store.Node()); err == nil && self != nil {
		c.state = self.State
	}
	now, news := c.state, r.Version > c.agreed
	c.agreed = max(c.agreed, r.Version)
	c.mu.Unlock()
	if news {
		c.announce()
	}
	if now == was || now == placement.Active || now == "" {
		return
	}
	if now == placement.Removed {
		c.n.o.Log.Warn(placement.ErrRemoved.Error(), "data", c.n.o.Data)
	} else {
		c.n.o.Log.Info("this node is being drained: clients are asked to go elsewhere")
	}
	if was != placement.Draining {
		c.n.relay.Reconnect(drainSpread)
	}
}

// version is what the cluster agreed on, by the newest registry; 0: none was heard.
func (c *control) version() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agreed
}

// standing is what the registry makes of this node; empty: not heard of yet.
func (c *control) standing() placement.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// SendUserMessage implements actor.Process: another node's control says
// something.
func (c *control) SendUserMessage(_ *actor.PID, message any) {
	_, m, from := actor.UnwrapEnvelope(message)
	switch m := m.(type) {
	case *actorpb.Registered:
		c.noteRegistry(m)
	case *actorpb.TransferLeader:
		c.n.host.Transfer(storage.ShardID(m.Shard), storage.NodeID(m.To))
	case *actorpb.Reshape:
		c.done.Go(func() { c.reply(from, m.Request, &actorpb.Reshaped{Request: m.Request}, c.reshape(m)) })
	case *actorpb.Administer:
		c.done.Go(func() { c.reply(from, m.Request, &actorpb.Administered{Request: m.Request}, c.administer(m)) })
	case *actorpb.Reshaped:
		c.resolve(m.Request, nil)
	case *actorpb.Administered:
		c.resolve(m.Request, nil)
	case *actorpb.Enrolled:
		c.resolve(m.Request, nil)
	case *actorpb.Answer:
		e := m.Error
		c.resolve(m.Request, chat.Errorf(chat.Code(e.GetCode()), "ask a node", "%s", e.GetMessage()))
	}
}

// SendSystemMessage implements actor.Process; a control is not watched.
func (c *control) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (c *control) Stop(*actor.PID) {}

func (c *control) reply(to *actor.PID, request uint32, ok any, err error) {
	if err != nil {
		ok = actorpb.Refuse(request, "cluster", err)
	}
	c.n.directory.TellProcess(storage.NodeID(to.Address), to.Id, ok, controlProcess)
}
