package node

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// controlProcess is the name under which nodes' controls reach each other.
const controlProcess = "control"

// announceEvery is how often a node repeats what it leads.
const announceEvery = time.Second

// announceGather is how long what has changed waits for what changes with it.
const announceGather = 20 * time.Millisecond

// askTime is how long another node may take for what an operator wants.
const (
	askTime  = 10 * time.Second
	askAgain = 100 * time.Millisecond
)

// control is the node's part in running the cluster: it tells the others what
// this node leads, hears what they do, and carries the placement driver's steps
// to the nodes that lead the shards. It is the driver's Cluster.
type control struct {
	n    *Node
	ctx  context.Context // ends with close
	stop context.CancelFunc
	done sync.WaitGroup
	wake chan struct{}

	mu       sync.Mutex
	seen     map[storage.ShardID]seen
	registry *actorpb.Registered // newest that was heard
	calls    map[uint32]call
	requests uint32
	draining bool // this node, by the registry
}

// seen is a shard as its leader described it.
type seen struct {
	node storage.NodeID
	*actorpb.Led
}

// call is a question to another node's control.
type call struct {
	node storage.NodeID
	done chan error
}

func newControl(n *Node) *control {
	c := &control{n: n, wake: make(chan struct{}, 1), seen: make(map[storage.ShardID]seen), calls: make(map[uint32]call)}
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
			c.heard(c.n.store.Node(), led)
			c.n.directory.Tell(led)
		}
		if m := c.registered(); m != nil {
			c.take(m)
			c.n.directory.TellAll(controlProcess, m)
		}
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

// announce has it told soon.
func (c *control) announce() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// heard keeps what a node says that it leads.
func (c *control) heard(from storage.NodeID, m *actorpb.Leading) {
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

// take notes the newest registry and what it makes of this node.
func (c *control) take(m *actorpb.Registered) {
	c.mu.Lock()
	if c.registry != nil && (m.Term < c.registry.Term || m.Version < c.registry.Version) {
		c.mu.Unlock()
		return
	}
	c.registry = m
	r, err := placement.Decode(m.Document)
	began := false
	if self := r.Node(c.n.store.Node()); err == nil && self != nil {
		began = self.State != placement.Active && !c.draining
		c.draining = self.State != placement.Active
	}
	c.mu.Unlock()
	if began {
		c.n.o.Log.Info("this node is being drained: clients are told to go elsewhere")
		c.n.relay.Reconnect(drainSpread)
	}
}

// isDraining says whether the registry wants this node to hold nothing.
func (c *control) isDraining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draining
}

// Observed implements placement.Cluster.
func (c *control) Observed() []placement.Shard {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]placement.Shard, 0, c.n.o.Shards+1)
	for id := storage.MetaShard; int(id) <= c.n.o.Shards; id++ {
		s, ok := c.seen[id]
		if !ok {
			all = append(all, placement.Shard{ID: id})
			continue
		}
		all = append(all, c.observed(id, s))
	}
	return all
}

// observed is one shard: led by whom the directory knows, if it reaches that
// node, with the replicas that a leader described last.
func (c *control) observed(id storage.ShardID, s seen) placement.Shard {
	out := placement.Shard{ID: id, Joint: len(s.Replicas.VotersOutgoing) > 0, Small: s.Small}
	node, term := c.n.directory.Leader(id)
	out.Term = term
	if node != "" && c.n.directory.Reaches(node, id) {
		out.Leader = node
	}
	out.Voters = placeOf(s.Replicas, s.Replicas.Voters)
	out.Learners = placeOf(s.Replicas, s.Replicas.Learners)
	for _, f := range s.Followers {
		if !f.CaughtUp {
			out.Behind = append(out.Behind, storage.NodeID(f.Node))
		}
	}
	return out
}

// placeOf gives the nodes of a descriptor's replicas.
func placeOf(d *logpb.Descriptor, replicas []uint64) (out []storage.NodeID) {
	for _, m := range d.Members {
		if slices.Contains(replicas, m.Replica) {
			out = append(out, storage.NodeID(m.Node))
		}
	}
	return out
}

// Members implements placement.Cluster.
func (c *control) Members() (all []placement.Member) {
	for _, m := range c.n.others() {
		if m.Cluster == c.n.mesh.Cluster {
			all = append(all, placement.Member{ID: m.ID, Zone: m.Zone, Command: m.Command, Leaving: m.Draining || m.ClockWrong})
		}
	}
	return all
}

// Reshape implements placement.Cluster.
func (c *control) Reshape(ctx context.Context, leader storage.NodeID, shard storage.ShardID, t placement.Target) error {
	if leader == c.n.store.Node() {
		defer c.announce()
		return c.n.host.Reshape(ctx, shard, replication.Target{Voters: t.Voters, Learners: t.Learners})
	}
	return c.ask(ctx, leader, func(request uint32) any {
		return &actorpb.Reshape{Request: request, Shard: uint32(shard), Voters: texts(t.Voters), Learners: texts(t.Learners)}
	})
}

// Transfer implements placement.Cluster.
func (c *control) Transfer(_ context.Context, leader storage.NodeID, shard storage.ShardID, to storage.NodeID) error {
	if leader == c.n.store.Node() {
		c.n.host.Transfer(shard, to)
		return nil
	}
	c.n.directory.TellProcess(leader, controlProcess, &actorpb.HandOver{Shard: uint32(shard), To: string(to)}, controlProcess)
	return nil
}

// Meta implements placement.Cluster.
func (c *control) Meta(ctx context.Context) (storage.Document, error) { return c.n.host.Meta(ctx) }

// SetMeta implements placement.Cluster.
func (c *control) SetMeta(ctx context.Context, expect uint64, document []byte) error {
	return c.n.host.SetMeta(ctx, expect, document)
}

// ask sends a question to another node's control and waits for the answer, the
// end of the connection, or ctx.
func (c *control) ask(ctx context.Context, node storage.NodeID, question func(request uint32) any) error {
	return c.await(ctx, node, func(request uint32) error {
		if !c.n.directory.TellProcess(node, controlProcess, question(request), controlProcess) {
			return errNotReached
		}
		return nil
	})
}

// enroll makes a user exist, wherever that is decided.
func (c *control) enroll(ctx context.Context, u chat.UserKey, name string) error {
	return c.await(ctx, "", func(request uint32) error {
		self := actor.NewPID(c.n.system.Address(), controlProcess)
		return c.n.directory.Send(directory.SessionOf(u), &actorpb.Enroll{Request: request, UserName: name}, self)
	})
}

// await asks under a number and waits for the answer.
func (c *control) await(ctx context.Context, node storage.NodeID, ask func(request uint32) error) error {
	done := make(chan error, 1)
	c.mu.Lock()
	c.requests++
	request := c.requests
	c.calls[request] = call{node, done}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, request)
	}()
	if err := ask(request); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return chat.Errorf(chat.CodeTimeout, "ask a node", "it has not answered: %w", ctx.Err())
	case <-c.ctx.Done():
		return errNotReached
	}
}

var errNotReached = chat.Errorf(chat.CodeUnavailable, "ask a node", "it is not connected")

// down ends the questions to a node that is no longer connected.
func (c *control) down(node storage.NodeID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for request, q := range c.calls {
		if q.node == node {
			delete(c.calls, request)
			q.done <- chat.Errorf(chat.CodeTimeout, "ask a node", "the connection to it broke")
		}
	}
}

func (c *control) answered(request uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.calls[request]; ok {
		delete(c.calls, request)
		q.done <- err
	}
}

// SendUserMessage implements actor.Process: another node's control says
// something.
func (c *control) SendUserMessage(_ *actor.PID, message any) {
	_, m, from := actor.UnwrapEnvelope(message)
	switch m := m.(type) {
	case *actorpb.Registered:
		c.take(m)
	case *actorpb.HandOver:
		c.n.host.Transfer(storage.ShardID(m.Shard), storage.NodeID(m.To))
	case *actorpb.Reshape:
		c.done.Go(func() { c.reply(from, m.Request, &actorpb.Reshaped{Request: m.Request}, c.reshape(m)) })
	case *actorpb.Administer:
		c.done.Go(func() { c.reply(from, m.Request, &actorpb.Administered{Request: m.Request}, c.administer(m)) })
	case *actorpb.Reshaped:
		c.answered(m.Request, nil)
	case *actorpb.Administered:
		c.answered(m.Request, nil)
	case *actorpb.Enrolled:
		c.answered(m.Request, nil)
	case *actorpb.Refused:
		e := m.GetError()
		c.answered(m.Request, chat.Errorf(chat.Code(e.GetCode()), "ask a node", "%s", e.GetMessage()))
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

func (c *control) reshape(m *actorpb.Reshape) error {
	defer c.announce()
	return c.n.host.Reshape(c.ctx, storage.ShardID(m.Shard), replication.Target{Voters: nodes(m.Voters), Learners: nodes(m.Learners)})
}

// administer changes the registry, on the node that leads the meta group.
func (c *control) administer(m *actorpb.Administer) error {
	ctx, cancel := context.WithTimeout(c.ctx, askTime)
	defer cancel()
	change := map[actorpb.Action]func(context.Context, storage.NodeID) error{
		actorpb.Action_ACTION_DRAIN: c.n.driver.Drain, actorpb.Action_ACTION_UNDRAIN: c.n.driver.Undrain, actorpb.Action_ACTION_REMOVE: c.n.driver.Remove,
	}[m.Action]
	if change == nil {
		return chat.Errorf(chat.CodeUnsupported, "administer", "there is no action %d", m.Action)
	}
	err := change(ctx, storage.NodeID(m.Node))
	var few *placement.TooFewError
	if errors.As(err, &few) || errors.Is(err, placement.ErrUnknownNode) || errors.Is(err, placement.ErrRemoved) {
		return chat.Errorf(chat.CodeInvalidParam, "administer", "%w", err)
	}
	return err
}

// Administer has whoever leads the meta group change the registry.
func (c *control) Administer(ctx context.Context, action actorpb.Action, node string) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for {
		err := c.tryAdminister(ctx, action, node)
		if !chat.CodeOf(err).Retryable() {
			return err
		}
		select { // whoever led may be gone, and doing it twice does no harm
		case <-time.After(askAgain):
		case <-ctx.Done():
			return err
		}
	}
}

func (c *control) tryAdminister(ctx context.Context, action actorpb.Action, node string) error {
	leader, _ := c.n.directory.Leader(storage.MetaShard)
	if leader == c.n.store.Node() {
		return c.administer(&actorpb.Administer{Node: node, Action: action})
	}
	if leader == "" {
		return chat.Errorf(chat.CodeUnavailable, "administer", "nobody leads the cluster at the moment; try again")
	}
	return c.ask(ctx, leader, func(request uint32) any {
		return &actorpb.Administer{Request: request, Node: node, Action: action}
	})
}

func texts(all []storage.NodeID) (out []string) {
	for _, n := range all {
		out = append(out, string(n))
	}
	return out
}

func nodes(all []string) (out []storage.NodeID) {
	for _, n := range all {
		out = append(out, storage.NodeID(n))
	}
	return out
}
