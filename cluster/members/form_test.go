package members

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/storage"
)

// TestNodesThatStartTogetherFoundOneCluster starts them in any order, each knowing
// one of those that were there before, and lets them form one after the other.
func TestNodesThatStartTogetherFoundOneCluster(t *testing.T) {
	for _, size := range []int{3, 5} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%d nodes, seed %d", size, seed), func(t *testing.T) {
				t.Parallel()
				formOne(t, size, rand.New(rand.NewPCG(seed, 2)))
			})
		}
	}
}

func formOne(t *testing.T, size int, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	founders, joined := 0, map[string]int{}
	var all []*witness
	var forming sync.WaitGroup
	defer forming.Wait()
	dir := t.TempDir()
	for _, i := range r.Perm(size) {
		w := start(t, idOf(i), func(o *Options) {
			o.Self.Cluster, o.Expect, o.GrantFile = "", size, filepath.Join(dir, fmt.Sprint(i))
			o.Seeds = []string{"127.0.0.1:1"} // nobody
			if len(all) > 0 {
				o.Seeds[0] = all[r.IntN(len(all))].Addr()
			}
		})
		all = append(all, w)
		forming.Go(func() {
			cluster, found, err := w.Form(ctx)
			if err != nil {
				t.Errorf("%s: %v", w.id, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			joined[cluster]++
			if found {
				founders++
			}
			w.Update(func(n *Node) { n.Cluster = cluster })
		})
	}
	forming.Wait()
	if founders != 1 || len(joined) != 1 {
		t.Errorf("%d founders, clusters %v", founders, joined)
	}
	for _, w := range all {
		await(t, "all see all in one cluster", func() bool { return len(w.Nodes()) == size && len(clusters(w.Nodes())) == 1 })
	}
}

// fleet is nodes that form a cluster, without gossip: what each has granted.
type fleet struct {
	granted []storage.NodeID
	founder int // -1: none
}

func idOf(i int) storage.NodeID { return storage.NodeID(fmt.Sprintf("n%d", i)) }

// step lets node i decide; of j it sees what heard says: nothing, the node, or
// the node with its grant.
func (f *fleet) step(t *testing.T, i int, heard func(j int) int) {
	t.Helper()
	var view []Node
	for j := range f.granted {
		n := Node{ID: idOf(j)}
		switch heard(j) {
		case 0:
			if j != i {
				continue
			}
		case 2:
			n.Grant = f.granted[j]
		}
		view = append(view, n)
	}
	d := decide(idOf(i), view, len(f.granted), true, f.granted[i])
	if d.grant != "" {
		if f.granted[i] != "" {
			t.Fatalf("%s grants %s, then %s", idOf(i), f.granted[i], d.grant)
		}
		f.granted[i] = d.grant
	}
	if d.found {
		if f.founder >= 0 && f.founder != i {
			t.Fatalf("%s and %s found", idOf(f.founder), idOf(i))
		}
		f.founder = i
	}
}

// TestNoTwoNodesFound lets nodes decide in any order on any views that they may
// have of each other, old ones too; a crash loses all but what was granted, which
// is what a step begins with. Grants may even be split, as by an earlier set of
// nodes. Once all see all, one of them has founded, unless grants were split.
func TestNoTwoNodesFound(t *testing.T) {
	formed := 0
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := &fleet{granted: make([]storage.NodeID, 2+r.IntN(5)), founder: -1}
		size, split := len(f.granted), r.IntN(4) == 0
		for i := range f.granted {
			if split && r.IntN(2) == 0 {
				f.granted[i] = idOf(r.IntN(size))
			}
		}
		for range r.IntN(40) {
			f.step(t, r.IntN(size), func(int) int { return r.IntN(3) })
		}
		for round := range 3 * size {
			f.step(t, round%size, func(int) int { return 2 })
		}
		if !split && f.founder != 0 {
			t.Fatalf("seed %d: %d nodes that see each other are founded by %d, granted %v", seed, size, f.founder, f.granted)
		}
		if split && f.founder >= 0 {
			formed++
		}
	}
	if formed == 0 {
		t.Error("no split was ever overcome")
	}
}

func TestDecideJoinsWhatIsThere(t *testing.T) {
	with := func(ids ...string) (all []Node) {
		all = []Node{{ID: "a"}}
		for i, id := range ids {
			all = append(all, Node{ID: idOf(i), Cluster: id, Grant: "a"})
		}
		return all
	}
	for name, c := range map[string]struct {
		all     []Node
		expect  int
		seeds   bool
		granted storage.NodeID
		want    decision
	}{
		"alone":                       {with(), 0, false, "", decision{found: true}},
		"alone, expecting itself":     {with(), 1, true, "", decision{found: true}},
		"a joiner waits":              {with("", ""), 0, true, "", decision{}},
		"one has a cluster":           {with("", "c"), 0, true, "", decision{join: "c"}},
		"joining beats founding":      {with("c", ""), 3, true, "a", decision{join: "c"}},
		"joining beats being alone":   {with("c"), 1, false, "", decision{join: "c"}},
		"two clusters":                {with("c", "d", ""), 3, true, "a", decision{}},
		"too few to grant":            {with(""), 4, true, "", decision{}},
		"enough to grant":             {with("", ""), 3, true, "", decision{found: true}},
		"half is not more than half":  {with("")[:2], 2, true, "b", decision{}},
		"granted once and for ever":   {[]Node{{ID: "a"}, {ID: "b"}, {ID: "c"}}, 3, true, "b", decision{}},
		"its own word in view counts": {[]Node{{ID: "a", Grant: "a"}, {ID: "b"}, {ID: "c"}}, 3, true, "a", decision{}},
	} {
		if got := decide("a", c.all, c.expect, c.seeds, c.granted); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestAGrantOutlivesARestartAndIsNeverGivenAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "grant")
	if err := writeGrant(file, "m"); err != nil {
		t.Fatal(err)
	}
	// Another node took this one's address, so others do not see it.
	n := start(t, "n", func(o *Options) {
		o.Self.Cluster, o.Self.Peer, o.Expect, o.GrantFile, o.Seeds = "", "same:1", 2, file, []string{"127.0.0.1:1"}
	})
	other := func(o *Options) {
		seeds(n)(o)
		o.Self.Cluster = ""
	}
	x := start(t, "x", func(o *Options) {
		other(o)
		o.Self.Peer, o.Self.Start = "same:1", 9
	})
	x.sees("x")
	start(t, "y", other).sees("x y")
	n.sees("n x y")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, _, err := n.Form(ctx); err == nil || !strings.Contains(err.Error(), "lets m found it") {
		t.Errorf("formed with %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "m" {
		t.Errorf("the grant is %q, %v", text, err)
	}
}

func TestFormWritesTheGrantBeforeAnybodyHearsOfIt(t *testing.T) {
	n := start(t, "n", func(o *Options) {
		o.Self.Cluster, o.Expect = "", 2
		o.GrantFile = filepath.Join(t.TempDir(), "missing", "grant")
	})
	start(t, "m", func(o *Options) {
		seeds(n)(o)
		o.Self.Cluster = ""
	})
	if _, _, err := n.Form(t.Context()); err == nil || !strings.Contains(err.Error(), "write who may found") {
		t.Errorf("formed with %v", err)
	}
	if g := n.node("n").Grant; g != "" {
		t.Errorf("a grant to %s that is not durable is gossiped", g)
	}
}

func TestFormWaitsForWhatItMustHave(t *testing.T) {
	alone := start(t, "a", func(o *Options) { o.Self.Cluster = "" })
	if c, found, err := alone.Form(t.Context()); err != nil || !found || c == "" {
		t.Errorf("alone: %q, %v, %v", c, found, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	joiner := start(t, "b", func(o *Options) {
		seeds(alone)(o)
		o.Self.Cluster = ""
	})
	if _, _, err := joiner.Form(ctx); err == nil || !strings.Contains(err.Error(), "started before") {
		t.Errorf("without a cluster to join: %v", err)
	}
	alone.Update(func(n *Node) { n.Cluster = "c" })
	if c, found, err := joiner.Form(t.Context()); err != nil || found || c != "c" {
		t.Errorf("joined %q, %v, %v", c, found, err)
	}
}
