package members

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// witness is a node and what it was told.
type witness struct {
	*Members
	t  *testing.T
	id storage.NodeID

	mu      sync.Mutex
	all     []Node
	gone    []Node
	evicted int
}

// start begins a node on loopback; port 0 picks one.
func start(t *testing.T, id storage.NodeID, change func(*Options)) *witness {
	t.Helper()
	w := &witness{t: t, id: id}
	o := Options{
		Self: Node{ID: id, Start: 1, Peer: string(id) + ":1", Actor: string(id) + ":2", Cluster: "c"}, Bind: "127.0.0.1:0",
		Timing: Timing{Probe: 100 * time.Millisecond, Gather: 20 * time.Millisecond, Rejoin: 100 * time.Millisecond},
		Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Changed: func(all []Node) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.all = all
		},
		Gone: func(n Node) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.gone = append(w.gone, n)
		},
		Evicted: func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.evicted++
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.Members, err = Start(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func seeds(of ...*witness) func(*Options) {
	return func(o *Options) {
		for _, w := range of {
			o.Seeds = append(o.Seeds, w.Addr())
		}
	}
}

func (w *witness) ids() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.all {
		out = append(out, string(n.ID))
	}
	return out
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-late.C:
			t.Fatalf("it does not come to be that %s", what)
		}
	}
}

func (w *witness) sees(ids string) {
	w.t.Helper()
	await(w.t, fmt.Sprintf("%s sees %s", w.id, ids), func() bool { return strings.Join(w.ids(), " ") == ids })
}

func TestNodesFindEachOtherAndNoticeWhoIsGone(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	c := start(t, "c", seeds(a))
	for _, w := range []*witness{a, b, c} {
		w.sees("a b c")
	}
	b.Update(func(n *Node) { n.Draining = true })
	await(t, "c sees that b drains", func() bool {
		all := c.Nodes()
		return len(all) == 3 && all[1].Draining && all[1].Actor == "b:2"
	})
	addr := c.Addr()
	if err := c.Close(); err != nil { // without a word, as when killed
		t.Fatal(err)
	}
	a.sees("a b")
	b.sees("a b")
	a.mu.Lock()
	if len(a.gone) != 1 || a.gone[0].ID != "c" {
		t.Errorf("gone are %v", a.gone)
	}
	a.mu.Unlock()

	// It was only paused: the same start lives again, and learns what happened.
	again := start(t, "c", func(o *Options) { o.Bind = addr })
	a.sees("a b c") // which join it, as it knows no seed
	await(t, "c is told that it was given up", func() bool {
		again.mu.Lock()
		defer again.mu.Unlock()
		return again.evicted > 0
	})
	if err := again.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	a.sees("a b")
}

func TestANewStartIsAnotherNodeToTheOthers(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	a.sees("a b")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, "b", func(o *Options) {
		seeds(a)(o)
		o.Self.Start = 2
	})
	await(t, "a notices the end of the first start", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.gone) == 1 && a.gone[0].Start == 1 && len(a.all) == 2 && a.all[1].Start == 2
	})
	if b.evicted != 0 {
		t.Error("a fresh start was told that it had been given up")
	}
	// A wiped disk at the same address is another node: the older one is dropped.
	third := start(t, "z", func(o *Options) {
		seeds(a)(o)
		o.Self.Peer, o.Self.Start = "b:1", 3
	})
	third.sees("a z")
}

func TestStrangersAreKeptOut(t *testing.T) {
	a := start(t, "a", nil)
	start(t, "b", func(o *Options) {
		seeds(a)(o)
		o.Self.Cluster = "another"
	})
	start(t, "k", func(o *Options) {
		seeds(a)(o)
		o.Key = []byte("0123456789abcdef")
	})
	c := start(t, "c", seeds(a))
	c.sees("a c")
	a.sees("a c")
	if _, err := Start(Options{Self: Node{ID: "x", Zone: strings.Repeat("z", 600)}, Bind: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a node that says too much: %v", err)
	}
}

func TestNodesThatStartTogetherFoundOneCluster(t *testing.T) {
	for _, size := range []int{3, 5} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var all []*witness
			dir := t.TempDir()
			for i := range size {
				all = append(all, start(t, storage.NodeID(fmt.Sprintf("n%d", (i*7)%size)), func(o *Options) {
					o.Self.Cluster, o.Expect, o.GrantFile = "", size, filepath.Join(dir, fmt.Sprint(i))
					if i > 0 {
						o.Seeds = []string{all[i-1].Addr()} // each knows one other
					} else {
						o.Seeds = []string{"127.0.0.1:1"}
					}
				}))
			}
			var mu sync.Mutex
			clusters, founders := map[string]int{}, 0
			var forming sync.WaitGroup
			for _, w := range all {
				forming.Go(func() {
					c, found, err := w.Form(ctx)
					if err != nil {
						t.Errorf("%s: %v", w.id, err)
						return
					}
					mu.Lock()
					clusters[c]++
					if found {
						founders++
					}
					mu.Unlock()
					w.Update(func(n *Node) { n.Cluster = c })
				})
			}
			forming.Wait()
			if founders != 1 || len(clusters) != 1 {
				t.Errorf("%d founders, clusters %v", founders, clusters)
			}
		})
	}
}

// TestNoTwoNodesFound lets nodes decide in any order on any views that they may
// have of each other, with crashes that lose all but what was granted.
func TestNoTwoNodesFound(t *testing.T) {
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := 2 + r.IntN(5)
		grants := make([]storage.NodeID, size)
		id := func(i int) storage.NodeID { return storage.NodeID(fmt.Sprintf("n%d", i)) }
		founder := -1
		for range 40 {
			i := r.IntN(size)
			var view []Node
			for j := range size {
				if j == i || r.IntN(3) > 0 { // what i has heard of j, perhaps before its grant
					n := Node{ID: id(j)}
					if j == i || r.IntN(2) > 0 {
						n.Grant = grants[j]
					}
					view = append(view, n)
				}
			}
			d := decide(id(i), view, size, true)
			if d.grant != "" {
				if grants[i] != "" {
					t.Fatalf("seed %d: %s grants twice", seed, id(i))
				}
				grants[i] = d.grant
			}
			if d.found {
				if founder >= 0 && founder != i {
					t.Fatalf("seed %d: %s and %s found", seed, id(founder), id(i))
				}
				founder = i
			}
		}
	}
	// With full views somebody does.
	var all []Node
	for i := range 3 {
		all = append(all, Node{ID: storage.NodeID(fmt.Sprintf("n%d", i))})
	}
	for i := range all {
		all[i].Grant = decide(all[i].ID, all, 3, true).grant
	}
	if !slices.ContainsFunc(all, func(n Node) bool { return decide(n.ID, all, 3, true).found }) {
		t.Errorf("nobody founds among %v", all)
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
