package placement

import (
	"cmp"
	"slices"

	"github.com/parley-im/parley/storage"
)

// spread evens out leaderships: while a node leads two shards more than another
// one, it gives one away, to that node or along the shortest chain of nodes that
// each give one on. The meta shard does not count.
func (p *plan) spread() {
	led := p.led()
	for {
		chain := p.longestGap(led)
		if chain == nil {
			return
		}
		for _, s := range chain {
			if p.handing >= MaxTransfers {
				return
			}
			led[s.Leader]--
			led[s.To]++
			p.begin(s)
		}
	}
}

// longestGap is the chain of transfers that evens out the most, nil when there
// is none.
func (p *plan) longestGap(led map[storage.NodeID]int) []Step {
	from := slices.Clone(p.open)
	slices.SortFunc(from, func(a, b storage.NodeID) int { return cmp.Or(cmp.Compare(led[b], led[a]), cmp.Compare(a, b)) })
	for _, u := range from {
		via := p.transfers(u)
		best := storage.NodeID("")
		for _, v := range from {
			if _, ok := via[v]; ok && led[v] <= led[u]-2 && (best == "" || led[v] < led[best]) {
				best = v
			}
		}
		if best == "" {
			continue
		}
		var chain []Step
		for n := best; n != u; n = via[n].Leader {
			chain = append(chain, via[n])
		}
		return chain
	}
	return nil
}

// transfers finds the shortest chains from a node to others: the last transfer
// of each.
func (p *plan) transfers(from storage.NodeID) map[storage.NodeID]Step {
	via := make(map[storage.NodeID]Step)
	for level := []storage.NodeID{from}; len(level) > 0; {
		var next []storage.NodeID
		for _, at := range level {
			for i := range p.shards {
				s := &p.shards[i]
				if s.ID == storage.MetaShard || s.Leader != at || !p.ready(s) {
					continue
				}
				for _, n := range s.Voters {
					if _, seen := via[n]; !seen && n != from && p.mayLead(s, n) {
						via[n] = Step{Shard: s.ID, Leader: at, To: n}
						next = append(next, n)
					}
				}
			}
		}
		level = next
	}
	return via
}
