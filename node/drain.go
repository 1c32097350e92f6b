package node

import (
	"context"
	"slices"
	"time"

	"github.com/parley-im/parley/cluster/members"
	"github.com/parley-im/parley/storage"
)

// Timing of a node's leaving.
const (
	drainSpread = 10 * time.Second        // over which clients move when a node is drained
	leaveSpread = 1500 * time.Millisecond // when it is about to stop
	leaveTime   = 5 * time.Second         // for clients and leaderships to go, at most
	leaveLook   = 20 * time.Millisecond
)

// leave hands over what this node serves before it stops: clients are asked to
// move, leaderships go to other voters that are reached. Alone it has nobody to
// hand over to.
func (n *Node) leave(ctx context.Context) {
	if n.control == nil || !n.hasCompany() {
		return
	}
	n.mesh.members.Update(func(m *members.Node) { m.Draining = true })
	n.relay.Reconnect(leaveSpread)
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	look := time.NewTicker(leaveLook)
	defer look.Stop()
	for looks := 0; ; looks++ {
		left := n.handOver(ctx, looks%10 == 0)
		if left == 0 && n.relay.Count() == 0 {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			n.o.Log.Info("left with company", "leaderships", left, "clients", n.relay.Count())
			return
		}
	}
}

// hasCompany says whether another node of the cluster is reached.
func (n *Node) hasCompany() bool {
	for _, m := range n.others() {
		if m.ID != n.store.Node() && m.Cluster == n.mesh.Cluster && n.directory.Connected(m.ID) {
			return true
		}
	}
	return false
}

// handOver counts the leaderships that somebody else could have, and asks for
// their transfer.
func (n *Node) handOver(ctx context.Context, ask bool) (left int) {
	led, err := n.host.Led(ctx)
	if err != nil {
		return 0
	}
	for _, l := range led {
		voters := placeOf(l.Descriptor, l.Descriptor.Voters)
		to := storage.NodeID("")
		for _, f := range l.Followers {
			if f.CaughtUp && slices.Contains(voters, f.Node) && n.directory.Connected(f.Node) {
				to = f.Node
			}
		}
		if to == "" {
			continue
		}
		left++
		if ask {
			n.host.Transfer(l.Shard, to)
		}
	}
	return left
}
