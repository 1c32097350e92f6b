package members

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/goleak"

	"github.com/parley-im/parley/storage"
)

// memberlist's Shutdown does not wait for a probe under way, which ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).probeNode"))
}

// witness is a node and what it was told.
type witness struct {
	*Members
	t  *testing.T
	id storage.NodeID

	mu      sync.Mutex
	all     []Node
	gone    []Node
	evicted int
	log     strings.Builder
}

// Write implements io.Writer for the node's log.
func (w *witness) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

func (w *witness) logged(part string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.log.String(), part)
}

func (w *witness) evictions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.evicted
}

func (w *witness) ends() []Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.gone)
}

// start begins a node on loopback; port 0 picks one.
func start(t *testing.T, id storage.NodeID, change func(*Options)) *witness {
	t.Helper()
	w := &witness{t: t, id: id}
	o := Options{
		Self: Node{ID: id, Start: 1, Peer: string(id) + ":1", Actor: string(id) + ":2", Cluster: "c"}, Bind: "127.0.0.1:0",
		Timing: Timing{Probe: 200 * time.Millisecond, Gather: 20 * time.Millisecond, Rejoin: 100 * time.Millisecond},
		Log:    slog.New(slog.NewTextHandler(w, nil)),
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

func (w *witness) node(id storage.NodeID) (found Node) {
	for _, n := range w.Nodes() {
		if n.ID == id {
			found = n
		}
	}
	return found
}

// cease ends w without a word to the others, as when killed.
func (w *witness) cease() {
	w.t.Helper()
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
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

// while fails as soon as something does not hold, for as long as d.
func while(t *testing.T, d time.Duration, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		select {
		case <-again.C:
			if !holds() {
				t.Fatalf("it does not stay so that %s", what)
			}
		case <-end.C:
			return
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
	await(t, "c sees that b drains", func() bool { return c.node("b").Draining && c.node("b").Actor == "b:2" })
	c.cease()
	for _, w := range []*witness{a, b} {
		w.sees("a b")
		if gone := w.ends(); len(gone) != 1 || gone[0].ID != "c" {
			t.Errorf("to %s are gone %v", w.id, gone)
		}
	}
}

func TestWhoLeavesIsGoneAtOnce(t *testing.T) {
	patient := func(o *Options) { o.Timing.Probe = time.Minute } // nobody is declared dead
	a := start(t, "a", patient)
	b := start(t, "b", func(o *Options) { seeds(a)(o); o.Timing.Probe = 500 * time.Millisecond })
	a.sees("a b")
	if err := b.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	a.sees("a")
	if gone := a.ends(); len(gone) != 1 || gone[0].ID != "b" {
		t.Errorf("gone are %v", gone)
	}
}

func TestTheSameStartIsToldThatItHadBeenGivenUp(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	c := start(t, "c", seeds(a))
	a.sees("a b c")
	b.sees("a b c")
	addr := c.Addr()
	c.cease()
	a.sees("a b")
	b.sees("a b")
	// As if it had been paused: it knows no seed, the others join it.
	again := start(t, "c", func(o *Options) { o.Bind = addr })
	again.sees("a b c")
	await(t, "c hears of it", func() bool { return again.evictions() > 0 })
	while(t, time.Second, "one eviction counts once, though two tell it", func() bool { return again.evictions() == 1 })
}

func TestANewStartIsAnotherNodeToTheOthers(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	c := start(t, "c", seeds(a))
	a.sees("a b c")
	c.sees("a b c")
	b.cease()
	a.sees("a c")
	c.sees("a c")
	restarted := time.Now()
	b = start(t, "b", func(o *Options) { // at another port
		seeds(a)(o)
		o.Self.Start = 2
	})
	for _, w := range []*witness{a, c} {
		w.sees("a b c")
		if n := w.node("b"); n.Start != 2 {
			t.Errorf("%s has start %d", w.id, n.Start)
		}
		if gone := w.ends(); len(gone) != 1 || gone[0].Start != 1 {
			t.Errorf("to %s are gone %v", w.id, gone)
		}
	}
	if took := time.Since(restarted); took > 5*time.Second {
		t.Errorf("it was back after %v only", took)
	}
	while(t, time.Second, "a fresh start is not told that it had been given up", func() bool { return b.evictions() == 0 })
}

func TestOfTwoAtOneAddressTheNewerStartCounts(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	a.sees("a b")
	z := start(t, "z", func(o *Options) { // a wiped disk at the same address
		seeds(a)(o)
		o.Self.Peer, o.Self.Start = "b:1", 3
	})
	a.sees("a z")
	z.sees("a z")
	b.sees("a b z") // itself it never drops
}

func TestStrangersAreNotListedNorInTheWay(t *testing.T) {
	a := start(t, "a", nil)
	s := start(t, "s", func(o *Options) {
		seeds(a)(o)
		o.Self.Cluster = ""
	})
	a.sees("a s")
	s.Update(func(n *Node) { n.Cluster = "another" })
	a.sees("a")
	b := start(t, "b", seeds(a))
	a.sees("a b")
	b.sees("a b")
	s.sees("s")
	if got := a.logged("another cluster"); got != 1 {
		t.Errorf("logged %d times", got)
	}
}

func TestAnotherKeyOrLabelIsIgnored(t *testing.T) {
	key, label := []byte("0123456789abcdef"), "parley"
	for name, change := range map[string]func(*Options){
		"another key":   func(o *Options) { o.Key, o.Label = []byte("fedcba9876543210"), label },
		"no key":        func(o *Options) { o.Label = label },
		"another label": func(o *Options) { o.Key, o.Label = key, "other" },
		"no label":      func(o *Options) { o.Key = key },
	} {
		t.Run(name, func(t *testing.T) {
			insider := func(o *Options) { o.Key, o.Label = key, label }
			a := start(t, "a", insider)
			k := start(t, "k", func(o *Options) {
				seeds(a)(o)
				change(o)
			})
			b := start(t, "b", func(o *Options) {
				seeds(a)(o)
				insider(o)
			})
			b.sees("a b")
			await(t, "a says so", func() bool { return a.logged("another key or label") > 0 })
			while(t, 500*time.Millisecond, "k is kept out", func() bool {
				return len(k.Nodes()) == 1 && len(a.Nodes()) == 2 && len(b.Nodes()) == 2 && a.logged("another key or label") == 1
			})
		})
	}
}

func TestANodeThatSaysTooMuchIsRefused(t *testing.T) {
	o := Options{Self: Node{ID: "x"}, Bind: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
	for o.Self.checkRoom() == nil {
		o.Self.Zone += "z"
	}
	if _, err := o.Self.encode(); err != nil {
		t.Fatalf("it fits, as long as it has no cluster: %v", err)
	}
	if _, err := Start(o); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("started with %v", err)
	}
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	a.sees("a b")
	b.Update(func(n *Node) { n.Zone = strings.Repeat("z", 600) })
	b.Update(func(n *Node) { n.Draining = true })
	await(t, "a sees that b drains", func() bool { return a.node("b").Draining })
	if n := a.node("b"); n.Zone != "" || b.logged("too long") != 1 {
		t.Errorf("a sees %v", n)
	}
}

func TestWhatAnotherReleaseGossipsIsIgnored(t *testing.T) {
	whole := memberlist.Node{Name: "a/1", Addr: net.IPv6loopback, Port: 7, Meta: []byte("\x01{\"p\":\"h:1\"}")}
	if n, ok := decode(heard{whole}); !ok || n.ID != "a" || n.Peer != "h:1" || n.Gossip != "[::1]:7" {
		t.Errorf("%v, %v", n, ok)
	}
	for _, text := range []string{"", "\x02{}", "\x01{", "\x01[]"} {
		whole.Meta = []byte(text)
		if n, ok := decode(heard{whole}); ok {
			t.Errorf("%q is taken for %v", text, n)
		}
	}
}

func TestUpdateDoesNotWaitForTheDead(t *testing.T) {
	a := start(t, "a", nil)
	b := start(t, "b", seeds(a))
	a.sees("a b")
	a.cease()
	b.cease()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Update(func(n *Node) { n.Draining = true })
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("Update waits for ever")
	}
}

func TestASeedThatIsThisNodeIsSkipped(t *testing.T) {
	a := start(t, "a", nil)
	_, port, _ := net.SplitHostPort(a.Addr())
	for _, c := range []struct {
		bind, seed string
		skipped    bool
	}{
		{"127.0.0.1:0", "127.0.0.1:" + port, true},
		{"127.0.0.1:0", "localhost:" + port, true},
		{"0.0.0.0:0", "127.0.0.1:" + port, true},
		{"127.0.0.1:0", "127.0.0.2:" + port, false},
		{"127.0.0.1:0", "127.0.0.1:1", false},
		{"0.0.0.0:0", "192.0.2.1:" + port, false},
	} {
		bound := &Members{o: a.o, port: a.port, ctx: t.Context()}
		bound.o.Bind = c.bind
		found, err := bound.resolve(c.seed)
		found = slices.DeleteFunc(found, func(addr string) bool { return strings.HasPrefix(addr, "[::1]") })
		if err != nil || c.skipped != (len(found) == 0) {
			t.Errorf("bound to %s, seed %s: %v, %v", c.bind, c.seed, found, err)
		}
	}
}

// TestANodeAtAnotherAddressIsThereAtOnce: nobody waits for the death of the start
// before to be declared.
func TestANodeAtAnotherAddressIsThereAtOnce(t *testing.T) {
	patient := func(o *Options) { o.Timing.Probe = time.Minute } // nobody is declared dead
	a := start(t, "a", patient)
	b := start(t, "b", func(o *Options) { patient(o); seeds(a)(o) })
	a.sees("a b")
	b.cease()
	again := start(t, "b", func(o *Options) {
		patient(o)
		seeds(a)(o)
		o.Self.Start, o.Self.Peer = 2, "b:2"
	})
	again.sees("a b")
	await(t, "a sees the new start", func() bool { return a.node("b").Peer == "b:2" })
	await(t, "the one before is gone", func() bool { return len(a.ends()) == 1 && a.ends()[0].Start == 1 })
	if n := a.node("b"); n.Gossip != again.Addr() {
		t.Errorf("it gossips at %s, a believes at %s", again.Addr(), n.Gossip)
	}
}

// TestAStartFindsTheNodesOfTheOneBefore: the node that founded the cluster has no
// seeds, and the others do not know that it is back, at another address.
func TestAStartFindsTheNodesOfTheOneBefore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "peers")
	founder := func(o *Options) { o.PeersFile = file }
	a := start(t, "a", founder)
	b := start(t, "b", seeds(a))
	a.sees("a b")
	b.sees("a b")
	a.cease()
	b.sees("b")
	b.cease()
	c := start(t, "c", func(o *Options) { o.Bind = b.Addr() }) // in the place of one that left for good
	again := start(t, "a", func(o *Options) {
		founder(o)
		o.Self.Start = 2
	})
	again.sees("a c")
	c.sees("a c")
	again.cease()
	start(t, "a", func(o *Options) {
		founder(o)
		o.Self.Start = 3
	}).sees("a c")
	var kept []peer
	if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &kept) != nil || len(kept) != 2 || kept[0].ID != "c" {
		t.Errorf("the file says %s, %v", text, err)
	}
}

func TestAFileOfPeersThatIsNoneIsNoHindrance(t *testing.T) {
	file := filepath.Join(t.TempDir(), "peers")
	if err := os.WriteFile(file, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := start(t, "a", func(o *Options) { o.PeersFile = file })
	b := start(t, "b", seeds(a))
	a.sees("a b")
	b.sees("a b")
	if got := a.logged("where other nodes were is not known"); got != 1 {
		t.Errorf("it says so %d times", got)
	}
}
