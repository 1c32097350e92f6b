package placement

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/storage"
)

// balance gives shards to nodes, by index.
//
// The simple idea: keep everything, give what is missing to whoever holds
// least, then move replicas from nodes with much to nodes with little. Zones
// make the last part a flow problem: a replica may only go where the shard's
// zones allow it, so evening out two nodes can take a chain of moves over
// others. even looks for the shortest such chain, breadth first, over nodes and
// the zones of each shard; when there is none from any node to one that holds
// two less, no distribution is more even.
type balance struct {
	nodes    []Node
	zone     []int // of each node
	zones    int
	replicas int // of each shard
	perZone  int // replicas of a shard in one zone, at most

	shards []Shard
	has    [][]bool // shard, node
	count  [][]int  // shard, zone
	load   []int    // of each node
}

func newBalance(nodes []Node) *balance {
	b := &balance{nodes: nodes, load: make([]int, len(nodes)), replicas: min(Replicas, len(nodes))}
	seen := map[string]int{}
	for _, n := range nodes {
		if _, ok := seen[n.Zone]; !ok {
			seen[n.Zone] = len(seen)
		}
		b.zone = append(b.zone, seen[n.Zone])
	}
	b.zones = len(seen)
	b.perZone = (b.replicas + b.zones - 1) / b.zones
	return b
}

// add takes a shard in and keeps the replicas that may stay: the leader's
// first, then other voters'.
func (b *balance) add(s Shard) {
	i := len(b.shards)
	b.shards = append(b.shards, s)
	b.has = append(b.has, make([]bool, len(b.nodes)))
	b.count = append(b.count, make([]int, b.zones))
	rank := func(n storage.NodeID) int {
		switch {
		case n == s.Leader:
			return 0
		case slices.Contains(s.Voters, n):
			return 1
		}
		return 2
	}
	holding := slices.Concat(s.Voters, s.Learners)
	slices.SortFunc(holding, func(x, y storage.NodeID) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(storage.Rank(s.ID, y), storage.Rank(s.ID, x)))
	})
	left := b.replicas
	for _, id := range holding {
		n := slices.IndexFunc(b.nodes, func(n Node) bool { return n.ID == id })
		if n >= 0 && left > 0 && b.fits(i, n) {
			b.give(i, n)
			left--
		}
	}
}

// fits says whether a node may get a replica more of a shard.
func (b *balance) fits(shard, node int) bool {
	return !b.has[shard][node] && b.count[shard][b.zone[node]] < b.perZone
}

func (b *balance) give(shard, node int) {
	b.has[shard][node] = true
	b.count[shard][b.zone[node]]++
	b.load[node]++
}

func (b *balance) take(shard, node int) {
	b.has[shard][node] = false
	b.count[shard][b.zone[node]]--
	b.load[node]--
}

// prefer says whether a node should rather get a replica of shard s than of t:
// one that it holds as a learner, else by the hash.
func (b *balance) prefer(s, t, node int) bool {
	id := b.nodes[node].ID
	x, y := slices.Contains(b.shards[s].Learners, id), slices.Contains(b.shards[t].Learners, id)
	if x != y {
		return x
	}
	return storage.Rank(b.shards[s].ID, id) > storage.Rank(b.shards[t].ID, id)
}

// fill gives what is missing to those who hold least.
func (b *balance) fill() {
	for s := range b.shards {
		held := 0
		for _, c := range b.count[s] {
			held += c
		}
		for ; held < b.replicas; held++ {
			best := -1
			for n := range b.nodes {
				if b.fits(s, n) && (best < 0 || b.rather(s, n, best)) {
					best = n
				}
			}
			b.give(s, best) // zones leave room, see perZone
		}
	}
}

// rather says whether node n should get a shard rather than m.
func (b *balance) rather(s, n, m int) bool {
	if b.load[n] != b.load[m] {
		return b.load[n] < b.load[m]
	}
	return storage.Rank(b.shards[s].ID, b.nodes[n].ID) > storage.Rank(b.shards[s].ID, b.nodes[m].ID)
}

// even moves replicas until no node could give one to another that holds two
// less.
func (b *balance) even() {
	order := make([]int, len(b.nodes))
	for again := true; again; {
		again = false
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(b.load[y], b.load[x]) })
		for _, from := range order {
			if again = b.relieve(from); again {
				break
			}
		}
	}
}

// hop is one move of a chain: the shard's replica goes from a node to the one
// that the hop is kept for.
type hop struct{ shard, from, length int }

// relieve moves one replica away from a node, by the shortest chain to the node
// with the least load, two less than its own at least.
func (b *balance) relieve(from int) bool {
	least := slices.Min(b.load)
	if b.load[from] < least+2 {
		return false
	}
	via := b.chains(from)
	best := -1
	for n, h := range via {
		if h.length == 0 || b.load[n] > b.load[from]-2 {
			continue
		}
		if best < 0 || b.load[n] < b.load[best] || b.load[n] == b.load[best] && h.length < via[best].length {
			best = n
		}
	}
	if best < 0 {
		return false
	}
	for n := best; n != from; {
		h := via[n]
		b.take(h.shard, h.from)
		b.give(h.shard, n)
		n = h.from
	}
	return true
}

// chains finds the shortest chain from a node to every other: its last hop, of
// length 0 where there is none. A shard lends itself to a chain once in each
// zone, and once across zones.
func (b *balance) chains(from int) []hop {
	via := make([]hop, len(b.nodes))
	within := make([][]bool, len(b.shards)) // zones of a shard that a chain has come to
	across := make([]bool, len(b.shards))
	for s := range within {
		within[s] = make([]bool, b.zones)
	}
	reach := func(s, at, zone, length int) (found []int) {
		within[s][zone] = true
		for n := range b.nodes {
			if b.zone[n] != zone || b.has[s][n] || n == from {
				continue
			}
			switch h := via[n]; {
			case h.length == 0:
				found = append(found, n)
				fallthrough
			case h.length == length && b.prefer(s, h.shard, n):
				via[n] = hop{s, at, length}
			}
		}
		return found
	}
	level := []int{from}
	for length := 1; len(level) > 0; length++ {
		var next []int
		for _, at := range level {
			for s := range b.shards {
				if !b.has[s][at] {
					continue
				}
				if z := b.zone[at]; !within[s][z] {
					next = append(next, reach(s, at, z, length)...)
				}
				if across[s] {
					continue
				}
				across[s] = true
				for z := range b.zones {
					if !within[s][z] && b.count[s][z] < b.perZone {
						next = append(next, reach(s, at, z, length)...)
					}
				}
			}
		}
		level = next
	}
	return via
}

// nodesOf are the nodes that hold a shard.
func (b *balance) nodesOf(shard int) []storage.NodeID {
	var out []storage.NodeID
	for n, has := range b.has[shard] {
		if has {
			out = append(out, b.nodes[n].ID)
		}
	}
	return out
}
