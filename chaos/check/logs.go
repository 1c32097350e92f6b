package check

import "github.com/parley-im/parley/chaos/history"

// replica is one node's log of one conversation, while it is read.
type replica struct {
	node    string
	v       *conversation
	base    uint64
	claimed uint64 // the head that it says it has; 0: it does not say
	last    uint64
}

// replica begins a node's log.
func (c *checker) replica(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	if e.Node == "" || v.replica(e.Node) != nil {
		return wrong("a second replica of %s on node %q", v.name, e.Node)
	}
	if e.Shard != 0 {
		v.shard = e.Shard
	}
	v.replicas = append(v.replicas, &replica{node: e.Node, v: v, base: e.Base, claimed: e.Seq, last: e.Base})
	return nil
}

func (v *conversation) replica(node string) *replica {
	for _, r := range v.replicas {
		if r.node == node {
			return r
		}
	}
	return nil
}

// base is the seq above which some log has entries; 0 without logs.
func (v *conversation) base() uint64 {
	if len(v.replicas) == 0 {
		return 0
	}
	base := ^uint64(0)
	for _, r := range v.replicas {
		base = min(base, r.base)
	}
	return base
}

// entry is one line of a node's log.
func (c *checker) entry(e *history.Event) error {
	v, err := c.conversation(e)
	if err != nil {
		return err
	}
	r := v.replica(e.Node)
	if r == nil {
		return wrong("a log entry of %s on node %q, of which there is no replica", v.name, e.Node)
	}
	c.v.LogEntries++
	if e.Seq <= r.last {
		c.violate("I3", Reorder, "%s's log of %s has seq %d after seq %d", r.node, v.name, e.Seq, r.last)
		return nil
	}
	if e.Seq != r.last+1 {
		c.violate("I3", Gap, "%s's log of %s goes from seq %d to %d", r.node, v.name, r.last, e.Seq)
	}
	r.last = e.Seq
	if e.Seq > uint64(v.messages+farBeyond) {
		return nil // told as a gap
	}
	if c.seen(e, v); c.messages[e.Cmid] == nil { // told as a phantom, once for all replicas
		c.messages[e.Cmid] = &message{cmid: e.Cmid, conversation: v, sender: e.Sender, judged: true}
	}
	c.place(e, r, c.messages[e.Cmid])
	return nil
}

// place compares an entry with those of the logs before.
func (c *checker) place(e *history.Event, r *replica, m *message) {
	v := r.v
	for uint64(len(v.log)) < e.Seq {
		v.log, v.hashes = append(v.log, nil), append(v.hashes, "")
	}
	other, hash := v.log[e.Seq-1], &v.hashes[e.Seq-1]
	if other != nil {
		c.exercise("I3")
	}
	switch {
	case other == nil && m.logged != 0 && m.conversation == v:
		v.log[e.Seq-1], *hash = m, e.Hash
		c.violate("I2", Dup, "%s's log has %s as seq %d, and it is seq %d too", r.node, m, e.Seq, m.logged)
	case other == nil:
		v.log[e.Seq-1], *hash = m, e.Hash
		m.logged = e.Seq
	case other != m:
		c.violate("I3", Diverge, "as seq %d %s's log has %s, another node's has %s", e.Seq, r.node, m, other)
	case *hash == "":
		*hash = e.Hash
	case e.Hash != "" && e.Hash != *hash:
		c.violate("I3", Diverge, "at seq %d of %s %s's log has the hash %s, another node's has %s", e.Seq, v.name, r.node, e.Hash, *hash)
	}
}

// ends compares how far the logs go.
func (c *checker) ends(v *conversation) {
	head := uint64(len(v.log))
	for _, r := range v.replicas {
		if want := max(head, r.claimed); r.last < want {
			c.violate("I1", Missing, "%s's log of %s ends at seq %d, not at %d", r.node, v.name, r.last, want)
		}
	}
}
