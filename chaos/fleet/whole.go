package fleet

import (
	"context"
	"errors"
	"fmt"
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
// lacks more than lag entries, nothing moves, and all active nodes are heard;
// else what is missing.
func (f *Fleet) Whole(ctx context.Context, lag uint64) error {
	s, _, err := f.AnyStatus(ctx)
	if err != nil {
		return err
	}
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
