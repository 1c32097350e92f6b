package round_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/storage"
)

func (n *node) leads() int { return len(n.leading) }

func TestAWithheldNodeHandsOverAndLeadsNoMore(t *testing.T) {
	w := newWorld(t, "n1", "n2", "n3")
	w.run(3 * time.Second)
	name, n := w.leader(1)
	answer := w.propose(1, 1, "before")
	w.run(10 * time.Millisecond)
	n.core.Withhold(true)
	w.run(time.Second)
	if n.leads() > 0 || *answer != nil {
		t.Fatalf("it leads %v, the answer is %v", n.leading, *answer)
	}
	for s := storage.ShardID(1); s <= shards; s++ {
		if _, other := w.leader(s); other == n {
			t.Fatal("it leads")
		}
	}
	_, next := w.leader(1)
	for i := range 200 {
		if i%20 == 0 {
			next.core.Transfer(1, name)
		}
		w.run(10 * time.Millisecond)
		if n.leads() > 0 {
			t.Fatal("it took what was handed to it")
		}
	}
	// The leader dies: the third one leads, with this one's vote.
	gone, dead := w.leader(1)
	w.cut[gone] = true
	w.run(5 * time.Second)
	if n.leads() > 0 {
		t.Error("it campaigned")
	}
	if _, third := w.leader(1); third == n || third == dead {
		t.Error("the third one does not lead")
	}
	// It is set right, and the only one that can win once the other is cut off.
	n.core.Withhold(false)
	w.cut[gone] = false
	w.run(2 * time.Second)
	for _, other := range w.names {
		if other != name && other != gone {
			w.nodes[other].core.Withhold(true)
		}
	}
	dead.core.Withhold(true)
	w.run(3 * time.Second)
	for s := storage.ShardID(1); s <= shards; s++ {
		if at, _ := w.leader(s); at != name {
			t.Errorf("%s leads shard %d, %s is the only one that may", at, s, name)
		}
	}
}

func TestAWithheldNodeLeadsWhatNobodyElseCan(t *testing.T) {
	w := newWorld(t, "n1")
	w.run(time.Second)
	n := w.nodes["n1"]
	n.core.Withhold(true)
	w.run(2 * time.Second)
	answer := w.propose(1, 1, "alone")
	w.run(time.Second)
	if n.leads() != shards || *answer != nil {
		t.Errorf("it leads %v, the answer is %v", n.leading, *answer)
	}
}
