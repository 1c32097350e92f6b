package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/cluster/members"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// How a start waits for the others' word, and how often a running node counts
// a beat: what is promised in the last of them may be missed in a copy of a
// running node's folder.
const (
	welcomePatience = 2 * time.Second
	welcomeLook     = 10 * time.Millisecond
	greetAgain      = 50 * time.Millisecond
	beatEvery       = time.Second
)

// openLineage makes this start part of the folder's life, before anybody hears
// of it.
func (n *Node) openLineage() (err error) {
	n.lineage, err = lineage.Open(n.store, originOf(n.id), func(err error) { n.refuse(fmt.Errorf("%s: %w", n.o.Data, err)) })
	return err
}

// awaitWelcome waits until every other node that may know of a later state of
// this folder has said that it does not: the members of its shards and all that
// gossip. Those that do not answer in time are taken to be gone, so that a
// cluster starts without its dead; should they come back, they refuse this node
// then. Until it returns no replica here votes, acknowledges or leads.
func (n *Node) awaitWelcome(ctx context.Context) error {
	if n.lineage.First() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, welcomePatience)
	defer cancel()
	waiting, err := n.company()
	if err != nil {
		return err
	}
	greeted := make(chan storage.NodeID)
	greeting := make(map[storage.NodeID]bool)
	look := time.NewTicker(welcomeLook)
	defer look.Stop()
	for {
		nodes := n.mesh.members.Nodes()
		if err := n.canJoin(nodes); err != nil {
			return err
		}
		for _, m := range n.neighbours(nodes) {
			if !greeting[m.ID] {
				greeting[m.ID], waiting[m.ID] = true, true
				n.beating.Go(func() { n.greet(ctx, m, greeted) })
			}
		}
		if len(waiting) == 0 && (len(greeting) > 0 || len(n.o.Cluster.Join) == 0) {
			return nil
		}
		select {
		case err := <-n.refused:
			return err
		case node := <-greeted:
			delete(waiting, node)
		case <-look.C:
		case <-ctx.Done():
			n.o.Log.Warn("not all nodes were there to say whether this folder is the newest of its node", "missing", len(waiting))
			return nil
		}
	}
}

// neighbours are the other nodes of this cluster.
func (n *Node) neighbours(all []members.Node) []members.Node {
	return slices.DeleteFunc(slices.Clone(all), func(m members.Node) bool { return m.ID == n.store.Node() || m.Cluster != n.mesh.Cluster })
}

// company are the other nodes that have replicas of this node's shards, as far
// as it knows.
func (n *Node) company() (map[storage.NodeID]bool, error) {
	all := make(map[storage.NodeID]bool)
	shards, err := n.store.Replicas()
	for _, s := range shards {
		r, err := n.store.Replica(s)
		d := new(logpb.Descriptor)
		if err == nil {
			err = d.UnmarshalVT(r.Applied.Descriptor)
		}
		if err != nil {
			return nil, fmt.Errorf("read the members of shard %d: %w", s, err)
		}
		for _, m := range d.Members {
			all[storage.NodeID(m.Node)] = true
		}
	}
	delete(all, n.store.Node())
	return all, err
}

// greet tries until the other node has welcomed this one.
func (n *Node) greet(ctx context.Context, m members.Node, greeted chan<- storage.NodeID) {
	n.mesh.raft.SetPeer(m.ID, m.Peer)
	again := time.NewTicker(greetAgain)
	defer again.Stop()
	for {
		if err := n.mesh.raft.Greet(ctx, m.ID); err == nil {
			select {
			case greeted <- m.ID:
			case <-ctx.Done():
			}
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// beat counts beats while anything is promised and tells them to the others. It
// ends the process when others say that its folder is not what it was, or agree on
// a version that it does not speak.
func (n *Node) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	synced := n.host.Stats().Synced
	for {
		select {
		case <-tick.C:
		case err := <-n.refused:
			n.o.Fatal(err)
			return
		case <-n.stopped.Done():
			return
		}
		now := n.host.Stats().Synced
		beat, err := n.lineage.Beat(now != synced)
		if err != nil {
			n.o.Fatal(err)
			return
		}
		synced = now
		if beat == nil {
			continue
		}
		for _, m := range n.neighbours(n.others()) {
			n.mesh.raft.Send(m.ID, &peerpb.Message{Kind: peerpb.Kind_KIND_BEAT, Index: beat.Beat, From: beat.Start})
		}
	}
}

// receive takes a message on the link for Raft.
func (n *Node) receive(from storage.NodeID, m *peerpb.Message) {
	if m.Kind == peerpb.Kind_KIND_BEAT {
		n.lineage.Heard(from, &peerpb.Moment{Beat: m.Index, Start: m.From})
		return
	}
	n.host.Receive(from, m)
}
