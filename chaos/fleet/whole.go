package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/transport/api"
)

// voters is how many replicas of a shard vote, if there are as many nodes.
const voters = 3

// ErrNobody says that no node answers.
var ErrNobody = errors.New("fleet: no node answers")

// AnyStatus is the cluster as some node sees it that answers, without being
// asked for longer than a second.
func (f *Fleet) AnyStatus(ctx context.Context) (api.ClusterStatus, *Node, error) {
	for _, n := range f.Nodes() {
		if !n.Runs() {
			continue
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		s, err := n.Status(short)
		cancel()
		if err == nil {
			return s, n, nil
		}
	}
	return api.ClusterStatus{}, nil, ErrNobody
}

// Whole gives nil when all shards are led and have their voters, none of which
// lacks more than lag entries, nothing moves, all nodes of the fleet are active
// members, and all members are heard; else what is missing.
func (f *Fleet) Whole(ctx context.Context, lag uint64) error {
	s, _, err := f.AnyStatus(ctx)
	if err == nil {
		err = missing(s, lag)
	}
	if err != nil {
		return err
	}
	// Last, as it is more expensive: a node may serve before the registry that it gets
	// here has it. The cluster is then whole without it, with fewer voters.
	for _, n := range f.Nodes() {
		short, cancel := context.WithTimeout(ctx, time.Second)
		own, err := n.Status(short)
		cancel()
		if err != nil {
			return fmt.Errorf("fleet: %s does not tell who it is: %w", n.Name, err)
		}
		if !slices.ContainsFunc(s.Nodes, func(m api.NodeStatus) bool { return m.ID == own.Node && m.State == "active" }) {
			return fmt.Errorf("fleet: %s is no active node of the cluster", n.Name)
		}
	}
	return nil
}

// missing is what a status lacks to be that of a whole cluster of those nodes
// that it names; nil if nothing.
func missing(s api.ClusterStatus, lag uint64) error {
	if s.Meta.Leader == "" {
		return errors.New("fleet: nobody leads the meta group")
	}
	active := 0
	for _, n := range s.Nodes {
		if n.State == "active" {
			active++
			if !n.Alive {
				return fmt.Errorf("fleet: node %s is not heard", n.ID)
			}
		} else if n.Replicas > 0 {
			return fmt.Errorf("fleet: node %s is %s and has %d replicas", n.ID, n.State, n.Replicas)
		}
	}
	if len(s.Moves) > 0 {
		return fmt.Errorf("fleet: %d shards move", len(s.Moves))
	}
	for _, sh := range s.Shards {
		if sh.Leader == "" {
			return fmt.Errorf("fleet: shard %d has no leader", sh.Shard)
		}
		if active >= voters && len(sh.Voters) != voters {
			return fmt.Errorf("fleet: shard %d has %d voters", sh.Shard, len(sh.Voters))
		}
		for node, lacks := range sh.Lag {
			if lacks > lag {
				return fmt.Errorf("fleet: %s lacks %d entries of shard %d", node, lacks, sh.Shard)
			}
		}
	}
	return nil
}

// AwaitWhole waits until the cluster is Whole; its error says what is missing
// when ctx ends.
func (f *Fleet) AwaitWhole(ctx context.Context, lag uint64) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		err := f.Whole(ctx, lag)
		if err == nil {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("the cluster is not whole: %w", err)
		}
	}
}
