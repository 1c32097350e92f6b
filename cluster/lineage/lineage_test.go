package lineage_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/cluster/lineage"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// folder is a node's data folder; a copy of it is another folder.
type folder struct {
	*memory.Store
}

func newFolder(node storage.NodeID) folder { return folder{memory.New(1, node)} }

func (f folder) copy(t require) folder {
	c := newFolder(f.Node())
	line, err := f.Lineage()
	if err == nil {
		err = c.SetLineage(line, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type require interface {
	Helper()
	Fatal(...any)
}

// running is a node that runs over a folder.
type running struct {
	*lineage.Keeper
	node     storage.NodeID
	outdated error
}

func start(t require, f folder) *running {
	t.Helper()
	r := &running{node: f.Node()}
	var err error
	if r.Keeper, err = lineage.Open(f, rand.Uint64(), func(err error) { r.outdated = err }); err != nil {
		t.Fatal(err)
	}
	return r
}

// beat has a node promise something and tell it.
func (r *running) beat(t require, to ...*running) {
	t.Helper()
	m, err := r.Beat(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range to {
		other.Heard(r.node, m)
	}
}

// meets is a handshake: whether a takes b.
func (a *running) meets(b *running) error {
	if err := b.Judge(a.node, a.Hello()); err != nil {
		return err
	}
	return a.Judge(b.node, b.Hello())
}

func (a *running) wantTaken(t require, b *running) {
	t.Helper()
	if err := a.Judge(b.node, b.Hello()); err != nil {
		t.Fatal("refused:", err)
	}
}

func (a *running) wantOutdated(t require, b *running) {
	t.Helper()
	if err := a.Judge(b.node, b.Hello()); !errors.Is(err, storage.ErrOutdated) {
		t.Fatal("an older copy is taken:", err)
	}
}

func TestANodeThatGoesOnIsTakenAgain(t *testing.T) {
	a, b := newFolder("a"), newFolder("b")
	for range 100 { // more starts than are kept
		if err := start(t, a).meets(start(t, b)); err != nil {
			t.Fatal(err)
		}
	}
	now, other := start(t, a), start(t, b)
	now.wantTaken(t, other)
	now.wantTaken(t, other) // a connection broke
	other.beat(t, now)
	now.wantTaken(t, other)
	for range 100 { // starts that nobody heard of
		other = start(t, b)
	}
	now.wantTaken(t, other)
}

// Hellos and beats travel on connections of their own.
func TestAHelloMayBeOvertakenByABeat(t *testing.T) {
	a, b := start(t, newFolder("a")), start(t, newFolder("b"))
	a.wantTaken(t, b)
	early := b.Hello()
	b.beat(t, a)
	if err := a.Judge(b.node, early); err != nil {
		t.Error(err)
	}
	if seen := a.Hello().Seen; len(seen) != 1 || seen[0].Moment.Beat != early.Beat+1 {
		t.Errorf("a remembers %v", seen)
	}
	b.beat(t, a)
	a.wantTaken(t, b)
}

func TestACopyOfAStoppedFolderIsRefused(t *testing.T) {
	a, b := start(t, newFolder("a")), newFolder("b")
	a.wantTaken(t, start(t, b))
	old := b.copy(t)
	a.wantTaken(t, start(t, b))
	for range 20 { // later starts of the copy pass the beat that is known
		a.wantOutdated(t, start(t, old))
	}
	a.wantTaken(t, start(t, b)) // the folder itself is still good
}

func TestACopyOfARunningFolderIsRefused(t *testing.T) {
	a, b := start(t, newFolder("a")), newFolder("b")
	running := start(t, b)
	a.wantTaken(t, running)
	old := b.copy(t)
	running.beat(t, a)
	for range 20 {
		a.wantOutdated(t, start(t, old))
	}
	a.wantTaken(t, running)
}

func TestOfTwoProcessesOnCopiesOneIsRefused(t *testing.T) {
	a, b := start(t, newFolder("a")), newFolder("b")
	running := start(t, b)
	a.wantTaken(t, running)
	second := start(t, b.copy(t))
	a.wantTaken(t, second) // nothing was promised since the copy
	a.wantOutdated(t, running)
}

func TestWhatOneKnowsAllAreTold(t *testing.T) {
	a, b, c := start(t, newFolder("a")), newFolder("b"), start(t, newFolder("c"))
	old := b.copy(t)
	later := start(t, b)
	a.wantTaken(t, later)
	c.wantTaken(t, a) // c has never met b
	c.wantOutdated(t, start(t, old))

	// b hears of it, too, from one who was told.
	d, stale := start(t, newFolder("d")), start(t, old)
	d.wantTaken(t, stale)
	stale.wantTaken(t, c)
	if !errors.Is(stale.outdated, storage.ErrOutdated) {
		t.Errorf("the older copy was told %v", stale.outdated)
	}
}

// A copy that lived on among those who did not know better has the higher beat;
// that must not make those who do forget.
func TestNewsOfTheCopyDoNotHideTheFolder(t *testing.T) {
	a, b, c := start(t, newFolder("a")), newFolder("b"), start(t, newFolder("c"))
	old := b.copy(t)
	a.wantTaken(t, start(t, b))
	stale := start(t, old)
	c.wantTaken(t, stale)
	for range 10 {
		stale.beat(t, c)
	}
	a.wantTaken(t, c)
	a.wantOutdated(t, stale)
	c.wantTaken(t, a)
	c.wantOutdated(t, stale)
}

func TestWhatWasHeardIsKept(t *testing.T) {
	fa, b := newFolder("a"), newFolder("b")
	a, running := start(t, fa), start(t, b)
	a.wantTaken(t, running)
	old := b.copy(t)
	running.beat(t, a)
	if _, err := a.Beat(false); err != nil {
		t.Fatal(err)
	}
	start(t, fa).wantOutdated(t, start(t, old))
}

func TestAHelloWithoutALineageIsRefused(t *testing.T) {
	a := start(t, newFolder("a"))
	for _, l := range []*peerpb.Lineage{nil, {}, {Beat: 7}} {
		if err := a.Judge("b", l); err == nil || errors.Is(err, storage.ErrOutdated) {
			t.Errorf("%v gives %v", l, err)
		}
	}
}

func TestAHelloStaysSmall(t *testing.T) {
	a := start(t, newFolder("a"))
	for i := range 2000 {
		b := start(t, newFolder(storage.NodeID(fmt.Sprintf("%032x", i))))
		a.wantTaken(t, b)
	}
	if n := a.Hello().SizeVT(); n > 3500 {
		t.Errorf("a hello has %d bytes of lineage", n)
	}
}

// TestCopiesAreRefusedByWhoeverKnows draws lives of three nodes: whoever has met
// a later state of a folder than a copy holds refuses the copy, and nobody
// refuses the folder itself before the copy ran.
// What a handshake rests on is durable with it, also if a third node told of it.
func TestWhatAThirdNodeToldIsDurableWithTheHandshake(t *testing.T) {
	a, b := newFolder("a"), newFolder("b")
	start(t, b)
	old, third := b.copy(t), start(t, newFolder("c"))
	now, node := start(t, b), start(t, a)
	if err := errors.Join(third.meets(node), now.meets(third), third.meets(node), now.meets(node)); err != nil {
		t.Fatal(err)
	}
	start(t, a).wantOutdated(t, start(t, old))
}

func TestCopiesAreRefusedByWhoeverKnows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []storage.NodeID{"a", "b", "c"}
		folders, now := make([]folder, 3), make([]*running, 3)
		for i, name := range names {
			folders[i] = newFolder(name)
			now[i] = start(t, folders[i])
		}
		var old folder
		knows := map[int]bool{} // who knows a later state of folder 0 than old
		node := rapid.IntRange(0, 2)
		for range rapid.IntRange(5, 60).Draw(t, "steps") {
			i, j := node.Draw(t, "i"), node.Draw(t, "j")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				now[i] = start(t, folders[i])
			case 1:
				if i != j {
					if err := now[i].meets(now[j]); err != nil {
						t.Fatal(err)
					}
					if old.Store != nil && (i == 0 || j == 0) {
						knows[i+j] = true
					}
				}
			case 2:
				now[i].beat(t)
			case 3:
				if i == 0 && old.Store == nil {
					old = folders[0].copy(t)
					now[0] = start(t, folders[0]) // so that a later state exists
				}
			}
		}
		if old.Store == nil {
			return
		}
		stale := start(t, old)
		for k := range knows {
			now[k].wantOutdated(t, stale)
		}
	})
}
