package directory

import (
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Recheck tells a session that pushes about conversations of these shards may
// have been lost since a time: it looks at their heads.
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
	sinceMargin = 30 * time.Second      // before the old leader was last heard of: clocks differ
	longSince   = 10 * time.Minute      // when there was none
	claimTime   = 35 * time.Second      // for devices after their node's connection broke
)

// notifier tells the sessions and the relay of this node what they may have
// missed, apart from whoever noticed it.
type notifier struct {
	d    *Directory
	wake chan struct{}

	mu     sync.Mutex
	shards map[storage.ShardID]time.Duration // since when, by elapsed
	gone   []goneAt
}

type goneAt struct {
	node storage.NodeID
	down time.Duration
	at   time.Duration // when to tell
}

func newNotifier(d *Directory) *notifier {
	return &notifier{d: d, wake: make(chan struct{}, 1), shards: make(map[storage.ShardID]time.Duration)}
}

// moved says that pushes of a shard may have been lost a moment ago.
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
	for {
		select {
		case <-n.d.stop:
			return
		case <-tick.C:
		case <-n.wake:
			wait := time.NewTimer(gather)
			select {
			case <-n.d.stop:
				wait.Stop()
				return
			case <-wait.C:
			}
		}
		n.tell()
	}
}

// tell says what has gathered.
func (n *notifier) tell() {
	now := n.d.elapsed()
	n.mu.Lock()
	shards := n.shards
	n.shards = make(map[storage.ShardID]time.Duration)
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
	if len(shards) == 0 {
		return
	}
	recheck := Recheck{Shards: make(map[storage.ShardID]bool), Since: sinceMargin}
	for shard, since := range shards {
		recheck.Shards[shard] = true
		shards[shard] = longSince
		if since > 0 {
			shards[shard] = now - since + sinceMargin
		}
		recheck.Since = max(recheck.Since, shards[shard])
	}
	n.sessions(recheck)
	for shard, ago := range shards {
		n.d.o.Moved(shard, ago)
	}
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
		d.notifier.moved(d.Shard(ConversationOf(c))) // a Recheck finds the conversation
	}
}

// sessions posts a message to every session of this node.
func (n *notifier) sessions(message any) {
	for i := range n.d.stripes {
		s := &n.d.stripes[i]
		s.mu.RLock()
		for id, a := range s.live {
			if id.Kind == Session {
				n.d.o.System.Root.Send(a.pid, message)
			}
		}
		s.mu.RUnlock()
	}
}
