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

// Timing of what is told.
const (
	gather      = 50 * time.Millisecond // what moves together is told together
	sinceMargin = 30 * time.Second      // on top of the last word of the old leader: clocks differ
	longSince   = 10 * time.Minute      // when there was none
	claimTime   = 35 * time.Second      // for devices behind a broken connection
)

// herald tells the sessions and the relay of this node what they may have
// missed, apart from whoever noticed it.
type herald struct {
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

func newHerald(d *Directory) *herald {
	return &herald{d: d, wake: make(chan struct{}, 1), shards: make(map[storage.ShardID]time.Duration)}
}

// moved says that pushes of a shard may have been lost a moment ago.
func (h *herald) moved(shard storage.ShardID) { h.movedSince(shard, h.d.elapsed()) }

// movedSince says so since a time; 0: nobody knows.
func (h *herald) movedSince(shard storage.ShardID, since time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if was, ok := h.shards[shard]; !ok || since < was {
		h.shards[shard] = since
	}
	h.signal()
}

func (h *herald) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// down has the devices of a node forgotten unless they attach again in time.
func (h *herald) down(node storage.NodeID, at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = append(h.gone, goneAt{node, at, at + claimTime})
}

// NodeGone says that a node's process has ended: its devices are gone.
func (d *Directory) NodeGone(node storage.NodeID) {
	n := d.neighbour(node)
	if n.connected() {
		return // gossip is a hint; the connection knows better
	}
	now := d.elapsed()
	d.herald.mu.Lock()
	defer d.herald.mu.Unlock()
	d.herald.gone = append(d.herald.gone, goneAt{node, now, now})
	d.herald.signal()
}

func (h *herald) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-h.d.stop:
			return
		case <-tick.C:
		case <-h.wake:
			wait := time.NewTimer(gather)
			select {
			case <-h.d.stop:
				wait.Stop()
				return
			case <-wait.C:
			}
		}
		h.tell()
	}
}

// tell says what has gathered.
func (h *herald) tell() {
	now := h.d.elapsed()
	h.mu.Lock()
	shards := h.shards
	h.shards = make(map[storage.ShardID]time.Duration)
	var due, later []goneAt
	for _, g := range h.gone {
		if g.at <= now {
			due = append(due, g)
		} else {
			later = append(later, g)
		}
	}
	h.gone = later
	h.mu.Unlock()

	for _, g := range due {
		h.sessions(Gone{g.node, now - g.down})
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
	h.sessions(recheck)
	for shard, ago := range shards {
		h.d.o.Moved(shard, ago)
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
		d.herald.moved(d.Shard(ConversationOf(c))) // it is told in another way
	}
}

// sessions posts a message to every session of this node.
func (h *herald) sessions(message any) {
	for i := range h.d.stripes {
		s := &h.d.stripes[i]
		s.mu.RLock()
		for id, a := range s.live {
			if id.Kind == Session {
				h.d.o.System.Root.Send(a.pid, message)
			}
		}
		s.mu.RUnlock()
	}
}
