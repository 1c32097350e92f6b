package node_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/storage"
)

// folders are the nodes of a cluster over the lives of their folders.
type folders struct {
	*testing.T
	o     []node.Options
	nodes []*node.Node // nil: is down
	fatal []chan error
}

// startTrio starts three nodes; each shard has three voters, so that none of them
// is needed.
func startTrio(t *testing.T) *folders {
	t.Helper()
	f := startNodes(t, 3)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for begun := time.Now(); ; <-look.C {
		s := f.nodes[0].Status()
		voters := [][]string{s.Meta.Voters}
		for _, sh := range s.Shards {
			voters = append(voters, sh.Voters)
		}
		if len(s.Moves) == 0 && !slices.ContainsFunc(voters, func(v []string) bool { return len(v) != 3 }) {
			return f
		}
		if time.Since(begun) > 3*waitFor {
			t.Fatalf("the shards have the voters %v", voters)
		}
	}
}

// startNodes starts nodes with folders of their own.
func startNodes(t *testing.T, count int) *folders {
	t.Helper()
	f := &folders{T: t, nodes: make([]*node.Node, count)}
	for range count {
		o := options(t)
		o.Shards = 4
		o.Cluster = node.ClusterOptions{PeerAddr: freeAddr(t), ActorAddr: freeAddr(t), GossipAddr: freeAddr(t), Expect: count}
		died := make(chan error, 1)
		o.Fatal = func(err error) { died <- err }
		f.o, f.fatal = append(f.o, o), append(f.fatal, died)
	}
	for i := range f.o {
		for j, other := range f.o {
			if i != j {
				f.o[i].Cluster.Join = append(f.o[i].Cluster.Join, other.Cluster.GossipAddr)
			}
		}
	}
	t.Cleanup(func() {
		for i := range f.nodes {
			f.stop(i)
		}
	})
	f.mustStart([]int{0, 1, 2}[:count]...)
	return f
}

// start starts nodes together and gives how each start ended.
func (f *folders) start(which ...int) (errs [3]error) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 30*time.Second)
	defer cancel()
	var starting sync.WaitGroup
	for _, i := range which {
		starting.Go(func() {
			n, err := node.Start(ctx, f.o[i])
			if errs[i] = err; err == nil {
				f.nodes[i] = n
			}
		})
	}
	starting.Wait()
	return errs
}

func (f *folders) mustStart(which ...int) {
	f.Helper()
	errs := f.start(which...)
	if err := errors.Join(errs[:]...); err != nil {
		f.Fatal(err)
	}
}

func (f *folders) stop(i int) {
	f.Helper()
	if f.nodes[i] == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := f.nodes[i].Close(ctx); err != nil {
		f.Errorf("close node %d: %v", i, err)
	}
	f.nodes[i] = nil
}

// copy copies a node's folder.
func (f *folders) copy(i int) (dir string) {
	f.Helper()
	dir = filepath.Join(f.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(f.o[i].Data)); err != nil {
		f.Fatal(err)
	}
	return dir
}

// put replaces the folder of a node that is down by a copy, which stays.
func (f *folders) put(i int, dir string) {
	f.Helper()
	f.clear(i)
	if err := os.CopyFS(f.o[i].Data, os.DirFS(dir)); err != nil {
		f.Fatal(err)
	}
}

func (f *folders) clear(i int) {
	f.Helper()
	if err := os.RemoveAll(f.o[i].Data); err != nil {
		f.Fatal(err)
	}
}

// wantEnded is wantRefused of a node that may have begun, as those who know came
// too late, and then ends by itself.
func (f *folders) wantEnded(i int, err error) {
	f.Helper()
	if err == nil {
		select {
		case err = <-f.fatal[i]:
			f.stop(i)
		case <-time.After(waitFor):
			f.Fatal("a node runs on an older copy of its folder")
		}
	}
	f.wantRefused(i, err)
}

// wantRefused wants a start to have ended with the sentence and the folder's
// name.
func (f *folders) wantRefused(i int, err error) {
	f.Helper()
	if !errors.Is(err, storage.ErrOutdated) || !strings.Contains(err.Error(), f.o[i].Data) {
		f.Fatalf("an older copy ends with %v", err)
	}
}

// promise has the cluster write until the nodes have counted beats.
func (f *folders) promise(via int) {
	f.Helper()
	for begun := time.Now(); time.Since(begun) < 2200*time.Millisecond; {
		cl, err := client.Dial(f.Context(), client.Options{
			Servers: []string{f.nodes[via].URL()}, AppID: app, UserID: "ann", Token: token(f.T, app, secret, "ann", time.Hour), NoReconnect: true,
		})
		if err == nil {
			err = cl.Close(f.Context())
		}
		if err != nil && !chat.CodeOf(err).Retryable() {
			f.Fatal(err)
		}
	}
}

func TestAnOlderFolderIsRefused(t *testing.T) {
	f := startTrio(t)
	const c = 2
	f.stop(c)
	old := f.copy(c)
	f.mustStart(c)
	f.stop(c)

	f.put(c, old)
	f.wantRefused(c, f.start(c)[c]) // a majority is up
	f.wantRefused(c, f.start(c)[c]) // and again, as a service manager would
	f.stop(0)
	f.put(c, old)
	f.wantRefused(c, f.start(c)[c]) // only one that knows is up
	f.stop(1)
	f.put(c, old)
	errs := f.start(0, 1, c) // all come back at once
	f.wantEnded(c, errs[c])
	if err := errors.Join(errs[0], errs[1]); err != nil {
		t.Fatal(err)
	}
	f.clear(c)
	f.mustStart(c) // as another node
}

// All nodes' folders of one time, with all nodes stopped, are the one copy that
// may be put back.
func TestAWholeClusterIsPutBack(t *testing.T) {
	f := startTrio(t)
	f.promise(0)
	for i := range f.o {
		f.stop(i)
	}
	copies := []string{f.copy(0), f.copy(1), f.copy(2)}
	f.mustStart(0, 1, 2)
	for i := range f.o {
		f.stop(i)
	}
	for i, dir := range copies {
		f.put(i, dir)
	}
	f.mustStart(0, 1, 2)
	f.promise(1)
	for i, fatal := range f.fatal {
		if len(fatal) > 0 {
			t.Errorf("node %d: %v", i, <-fatal)
		}
	}
}

// Of two nodes one votes and the other follows; either may know better.
func TestOfTwoNodesEitherRefusesTheOther(t *testing.T) {
	for _, older := range []int{0, 1} {
		f := startNodes(t, 2)
		f.stop(older)
		old := f.copy(older)
		f.mustStart(older)
		f.stop(older)
		f.put(older, old)
		f.wantRefused(older, f.start(older)[older])
	}
}

func TestACopyOfARunningFolderIsRefused(t *testing.T) {
	f := startTrio(t)
	const c = 2
	f.promise(0) // it has replicas by then
	old := f.copy(c)
	f.promise(0)
	f.stop(c)
	f.put(c, old)
	if err := f.start(c)[c]; err == nil || errors.Is(err, storage.ErrOutdated) {
		f.wantRefused(c, err)
	} else {
		t.Log("the copy is torn:", err)
	}
}

func TestASecondProcessOnACopyIsRefused(t *testing.T) {
	f := startTrio(t)
	const c = 2
	f.stop(c)
	twin := f.o[c]
	twin.Data = f.copy(c)
	died := make(chan error, 1)
	twin.Fatal = func(err error) { died <- err }
	f.mustStart(c)
	twin.Cluster.PeerAddr, twin.Cluster.ActorAddr, twin.Cluster.GossipAddr = freeAddr(t), freeAddr(t), freeAddr(t)
	twin.Cluster.Join = f.o[0].Cluster.Join
	original, running, end := f.o[c], f.nodes[c], f.fatal[c]
	f.o[c], f.fatal[c] = twin, died
	f.wantRefused(c, f.start(c)[c])
	f.o[c], f.nodes[c], f.fatal[c] = original, running, end
	select {
	case err := <-end:
		t.Errorf("the node itself ended: %v", err)
	default:
	}
}

// A node that is alone has nobody to ask, and does not wait.
func TestANodeThatIsAloneStartsFromWhateverItHas(t *testing.T) {
	o := options(t)
	o.Fatal = func(err error) { t.Error(err) }
	_, stop := start(t, o)
	stop()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(o.Data)); err != nil {
		t.Fatal(err)
	}
	_, stop = start(t, o)
	stop()
	o.Data = dir
	_, stop = start(t, o)
	stop()
}
