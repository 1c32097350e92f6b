package node

import (
	"fmt"
	"sync"
	"time"

	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/transport/api"
)

// cutOffAfter is how long a node may fail to reach the leaders of most shards
// before it says that it is not ready. Elections take up to a second; a probe
// that saw one would take every node out of a load balancer at once.
const cutOffAfter = 5 * time.Second

// health is what the node knows of its own ability to serve. It serves when it
// has started, is neither drained nor ending, and reaches the leaders of more
// than half of the shards: a node that others are cut off from reaches none. A
// shard that has lost its majority is the cluster's trouble, and no reason to
// send clients away from a node that serves the others.
type health struct {
	mu      sync.Mutex
	waiting string // what the start waits for; empty: it has ended
	ending  bool
	most    time.Time // when the leaders of most shards were reached last
}

func (h *health) wait(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = what
}

func (h *health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ending = true
}

// observe notes how many shards are served. It is called every second, so that
// rare probes judge by the last seconds too.
func (h *health) observe(now time.Time, served, shards int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if 2*served > shards {
		h.most = now
	}
}

// problem is why clients should go elsewhere; empty: they should not.
func (h *health) problem(now time.Time, state placement.State, served, shards int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ending:
		return "this node is shutting down"
	case h.waiting != "":
		return h.waiting
	case state == placement.Removed:
		return "this node was removed from the cluster for good"
	case state == placement.Draining:
		return "this node is being drained"
	case now.Sub(h.most) > cutOffAfter:
		return fmt.Sprintf("this node is cut off: it reaches the leaders of %d of %d shards", served, shards)
	}
	return ""
}

// readiness is what /readyz answers.
func (n *Node) readiness() api.Readiness {
	now := time.Now()
	served, state := 0, placement.State("")
	if n.isLinked() {
		served, state = n.directory.Served(), n.control.standing()
	}
	n.health.observe(now, served, n.o.Shards)
	reason := n.health.problem(now, state, served, n.o.Shards)
	return api.Readiness{Ready: reason == "", Reason: reason, Shards: n.o.Shards, WithoutLeader: n.o.Shards - served}
}

// isLinked tells whether the actors and the links are there.
func (n *Node) isLinked() bool {
	select {
	case <-n.linked:
		return true
	default:
		return false
	}
}
