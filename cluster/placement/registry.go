package placement

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// State is what a node is to the cluster.
type State string

// The states of a node. An active one gets replicas and leads; a draining one
// gives away its leaderships and then its replicas; a removed one never comes
// back, as a wiped disk is another node.
const (
	Active   State = "active"
	Draining State = "draining"
	Removed  State = "removed"
)

// Registry is the cluster as the meta shard's document holds it.
type Registry struct {
	// Format is registryFormat; a newer one is refused.
	Format  int    `json:"format"`
	Cluster string `json:"cluster"`
	// Shards is S.
	Shards int `json:"shards"`
	// Version is the one that the cluster agreed on: the lowest newest of its nodes.
	// It only grows, and while a node is silent it does not, as it may come back as
	// another release.
	Version uint32 `json:"version"`
	// Nodes are in the order in which they joined.
	Nodes []Node `json:"nodes"`
}

// Node is a node of the registry.
type Node struct {
	ID    storage.NodeID `json:"id"`
	Zone  string         `json:"zone,omitempty"`
	State State          `json:"state"`
	// Newest is the newest version that it speaks, as it said last.
	Newest uint32 `json:"newest"`
	// SilentMs is for how long it has been missed, in milliseconds and whole
	// minutes, 1 in the first one; 0 while it is heard from. It is the sum of what
	// meta leaders measured, and not a time, as the clock of one may be wrong.
	SilentMs int64 `json:"silent_ms,omitempty"`
}

// Member is a live node as it says of itself.
type Member struct {
	ID      storage.NodeID
	Zone    string
	Speaks  chat.Versions
	Leaving bool // it is about to stop, or is not to lead as its clock is wrong
}

const registryFormat = 1

// Errors of the registry.
var (
	ErrUnknownNode = errors.New("there is no such node in the cluster")
	ErrRemoved     = errors.New("the node was removed from the cluster for good; wipe its data to have it join as another one")
)

// TooFewError refuses what would leave too few nodes for the shards.
type TooFewError struct {
	Left int // active nodes that are heard from, without the one that is to go
	Need int
}

// Error says how many.
func (e *TooFewError) Error() string {
	return fmt.Sprintf("too few nodes would be left: %d active ones that are heard from, needed: %d", e.Left, e.Need)
}

// Encode gives the document.
func (r Registry) Encode() ([]byte, error) {
	r.Format = registryFormat
	return json.Marshal(r)
}

// Decode reads a document.
func Decode(document []byte) (Registry, error) {
	var r Registry
	if err := json.Unmarshal(document, &r); err != nil {
		return r, fmt.Errorf("registry: %w", err)
	}
	if r.Format > registryFormat {
		return r, fmt.Errorf("registry: it has format %d, this release reads %d; use the newer release", r.Format, registryFormat)
	}
	return r, nil
}

// Node finds a node, nil when it is not there.
func (r *Registry) Node(id storage.NodeID) *Node {
	i := slices.IndexFunc(r.Nodes, func(n Node) bool { return n.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Nodes[i]
}

// Drain has a node give away what it holds. Another active node must be heard
// from, else TooFewError; ErrUnknownNode and ErrRemoved.
func (r *Registry) Drain(id storage.NodeID) error {
	n, err := r.known(id)
	if err == nil && n.State == Active {
		err = r.canSpare(id)
	}
	if err == nil {
		n.State = Draining
	}
	return err
}

// Undrain makes a draining node active again; ErrUnknownNode and ErrRemoved.
func (r *Registry) Undrain(id storage.NodeID) error {
	n, err := r.known(id)
	if err == nil {
		n.State = Active
	}
	return err
}

// Remove gives a node up for good, as Drain does otherwise: what only it holds
// is moved while it lives, and lost when it does not.
func (r *Registry) Remove(id storage.NodeID) error {
	n := r.Node(id)
	if n == nil {
		return fmt.Errorf("%w: %s", ErrUnknownNode, id)
	}
	if err := r.canSpare(id); err != nil {
		return err
	}
	n.State = Removed
	return nil
}

func (r *Registry) known(id storage.NodeID) (*Node, error) {
	n := r.Node(id)
	switch {
	case n == nil:
		return nil, fmt.Errorf("%w: %s", ErrUnknownNode, id)
	case n.State == Removed:
		return nil, fmt.Errorf("%w: %s", ErrRemoved, id)
	}
	return n, nil
}

// canSpare says whether somebody could hold the shards without a node.
func (r *Registry) canSpare(id storage.NodeID) error {
	left := 0
	for _, n := range r.Nodes {
		if n.ID != id && n.State == Active && n.SilentMs == 0 {
			left++
		}
	}
	if left < 1 {
		return &TooFewError{Left: left, Need: 1}
	}
	return nil
}

// Observe takes in who is alive: nodes that are not known join, unless they do
// not speak the cluster's version, and silences begin, grow and end.
// silent says how long nodes that are not alive have been missed.
func (r *Registry) Observe(members []Member, silent map[storage.NodeID]time.Duration) (changed bool) {
	before, _ := r.Encode()
	for _, m := range members {
		n := r.Node(m.ID)
		if n == nil && m.Speaks.Holds(r.Version) {
			r.Nodes = append(r.Nodes, Node{ID: m.ID, State: Active})
			n = &r.Nodes[len(r.Nodes)-1]
		}
		if n != nil && n.State != Removed {
			n.Zone, n.Newest, n.SilentMs = m.Zone, m.Speaks.Newest, 0
		}
	}
	lowest, missing := ^uint32(0), false
	for i := range r.Nodes {
		n := &r.Nodes[i]
		if n.State == Removed {
			n.SilentMs = 0
			continue
		}
		if !alive(members, n.ID) {
			missing = true
			n.SilentMs = max(1, n.SilentMs, silent[n.ID].Truncate(time.Minute).Milliseconds())
		}
		lowest = min(lowest, n.Newest)
	}
	if lowest != ^uint32(0) && !missing {
		r.Version = max(r.Version, lowest)
	}
	after, _ := r.Encode()
	return string(before) != string(after)
}

func alive(members []Member, id storage.NodeID) bool {
	return slices.ContainsFunc(members, func(m Member) bool { return m.ID == id })
}

// maxGone bounds the nodes that the registry remembers although nothing is left of
// them. The document could not grow without end, and it would take a removed node
// that starts again after so many others for a new one: that does no harm, as
// replicas never get a number twice.
const maxGone = 200

// Forget drops the oldest of the nodes that are not alive, hold nothing, and were
// removed or silent for SilentFor, but for the newest few.
func (r *Registry) Forget(members []Member, shards []Shard) (changed bool) {
	unknown := func(s Shard) bool { return len(s.Voters) == 0 || s.Joint }
	if len(r.Nodes) <= maxGone || slices.ContainsFunc(shards, unknown) {
		return false
	}
	gone := func(n Node) bool {
		holds := slices.ContainsFunc(shards, func(s Shard) bool { return s.holds(n.ID) })
		return !holds && !alive(members, n.ID) && (n.State == Removed || n.SilentMs >= SilentFor.Milliseconds())
	}
	drop := -maxGone
	for _, n := range r.Nodes {
		if gone(n) {
			drop++
		}
	}
	before := len(r.Nodes)
	r.Nodes = slices.DeleteFunc(r.Nodes, func(n Node) bool {
		if drop > 0 && gone(n) {
			drop--
			return true
		}
		return false
	})
	return len(r.Nodes) < before
}
