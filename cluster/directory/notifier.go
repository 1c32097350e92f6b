package directory

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// Recheck tells a session that pushes about conversations of these shards may
// have been lost since a time, and nobody knows which: it looks at their heads.
type Recheck struct {
	Shards map[storage.ShardID]bool
	Since  time.Duration // how long ago
}

// Opened tells a session that a conversation has become one of the user's.
type Opened struct{ Conversation chat.ConversationKey }

// Gone tells a session that its devices on a node are gone, but for those that
// attached less than Spare ago.
type Gone struct {
	Node  storage.NodeID
	Spare time.Duration
}

// Timing of notifications.
const (
	gather      = 50 * time.Millisecond // what moves together is reported together
	sinceMargin = 30 * time.Second      // of looks, which go by the time of messages: clocks differ
	longSince   = 10 * time.Minute      // when there was none
	claimTime   = 35 * time.Second      // for devices after their node's connection broke
)

// notifier tells the sessions and the relay of this node what they may have
// missed, apart from whoever noticed it.
type notifier struct {
	d    *Directory
	wake chan struct{}

	looking []*actor.PID // sessions that are not told of a Recheck yet
	recheck Recheck

	mu     sync.Mutex
	shards map[storage.ShardID]time.Duration // that moved, since when, by elapsed
	looks  map[storage.ShardID]time.Duration // that sessions have to look at, since when
	agains []again
	asking []*actorpb.AgainUser // for whom all nodes push again
	missed time.Duration        // the longest of them
	gone   []goneAt
}

type goneAt struct {
	node storage.NodeID
	down time.Duration
	at   time.Duration // when to tell
}

func newNotifier(d *Directory) *notifier {
	return &notifier{d: d, wake: make(chan struct{}, 1), shards: make(map[storage.ShardID]time.Duration), looks: make(map[storage.ShardID]time.Duration)}
}

// moved says that the sessions of a shard may have a new place since a moment ago.
func (n *notifier) moved(shard storage.ShardID) { n.movedSince(shard, n.d.elapsed()) }

// movedSince says so since a time; 0: nobody knows.
func (n *notifier) movedSince(shard storage.ShardID, since time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if was, ok := n.shards[shard]; !ok || since < was {
		n.shards[shard] = since
	}
	n.signal()
}

func (n *notifier) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// down has the devices of a node forgotten unless they attach again in time.
func (n *notifier) down(node storage.NodeID, at time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = append(n.gone, goneAt{node, at, at + claimTime})
}

// NodeGone says that a node's process has ended: its devices are gone.
func (d *Directory) NodeGone(node storage.NodeID) {
	if d.neighbour(node).connected() {
		return // gossip is a hint; the connection knows better
	}
	now := d.elapsed()
	d.notifier.mu.Lock()
	defer d.notifier.mu.Unlock()
	d.notifier.gone = append(d.notifier.gone, goneAt{node, now, now})
	d.notifier.signal()
}

func (n *notifier) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	pace := time.NewTicker(gather)
	defer pace.Stop()
	for {
		select {
		case <-n.d.stop:
			return
		case <-tick.C:
			n.tell()
		case <-pace.C:
			n.look()
		case <-n.wake:
			wait := time.NewTimer(gather)
			select {
			case <-n.d.stop:
				wait.Stop()
				return
			case <-wait.C:
			}
			n.tell()
		}
	}
}

// tell says what has gathered.
func (n *notifier) tell() {
	now := n.d.elapsed()
	n.mu.Lock()
	shards, agains, asking, missed := n.shards, n.agains, n.asking, n.missed
	n.shards, n.agains, n.asking, n.missed = make(map[storage.ShardID]time.Duration), nil, nil, 0
	var due, later []goneAt
	for _, g := range n.gone {
		if g.at <= now {
			due = append(due, g)
		} else {
			later = append(later, g)
		}
	}
	n.gone = later
	n.mu.Unlock()

	for _, g := range due {
		n.sessions(Gone{g.node, now - g.down})
	}
	for shard, since := range shards {
		ago := longSince
		if since > 0 {
			ago = now - since
		}
		n.d.o.Moved(shard, ago)
	}
	for _, a := range agains {
		a.do(n.d)
	}
	n.d.askAll(asking, missed)
}

// lookPace is how many sessions get a Recheck at once, each gather.
const lookPace = 64

// look tells the next sessions to look, one Recheck after the other.
func (n *notifier) look() {
	if len(n.looking) == 0 {
		now := n.d.elapsed()
		n.mu.Lock()
		looks := n.looks
		n.looks = make(map[storage.ShardID]time.Duration)
		n.mu.Unlock()
		if len(looks) == 0 {
			return
		}
		n.recheck = Recheck{Shards: make(map[storage.ShardID]bool)}
		for shard, since := range looks {
			n.recheck.Shards[shard] = true
			n.recheck.Since = max(n.recheck.Since, now-since+sinceMargin)
		}
		n.looking = n.d.sessionPIDs()
	}
	some := n.looking[:min(len(n.looking), lookPace)]
	n.looking = n.looking[len(some):]
	for _, pid := range some {
		n.d.o.System.Root.Send(pid, n.recheck)
	}
	n.recheck.Since += gather
}

// Opened tells the session of a user, if it is active on this node, that a
// conversation is theirs now.
func (d *Directory) Opened(u chat.UserKey, c chat.ConversationKey) {
	id := SessionOf(u)
	s := &d.stripes[d.Shard(id)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.live[id]; a != nil && d.post(a, Opened{c}, nil) != nil {
		if h := a.heads.Load(); h != nil {
			h.lose() // of a conversation that the actor does not know
		}
		d.lookAgain(&actorpb.LookAgain{Shards: []uint32{uint32(d.Shard(ConversationOf(c)))}})
	}
}

// sessions sends a message to every session of this node.
func (n *notifier) sessions(message any) {
	for _, pid := range n.d.sessionPIDs() {
		n.d.o.System.Root.Send(pid, message)
	}
}

func (d *Directory) sessionPIDs() (all []*actor.PID) {
	for i := range d.stripes {
		s := &d.stripes[i]
		s.mu.RLock()
		for id, a := range s.live {
			if id.Kind == Session {
				all = append(all, a.pid)
			}
		}
		s.mu.RUnlock()
	}
	return all
}
