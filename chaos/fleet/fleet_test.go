package fleet_test

import (
	"context"
	"os"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/transport/api"
)

// TestKillingNodesIsNotNoticedByUsers kills each node in turn, gateway of some
// and leader of others, while users on all nodes talk.
func TestKillingNodesIsNotNoticedByUsers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	f := begin(ctx, t, 3)
	settle(ctx, t, f, 3)
	c := converse(ctx, t, f, 6)
	c.goesOn(ctx)
	for _, n := range f.Nodes() {
		since := time.Now()
		n.Kill()
		c.goesOn(ctx)
		took := time.Since(since)
		if err := n.Start(ctx); err != nil {
			t.Fatal(err)
		}
		c.goesOn(ctx)
		t.Logf("%s killed: everybody's messages went on after %v; longest pause of one speaker %v", n.Name, took.Round(time.Millisecond), c.gap(since))
	}
	t.Logf("%d messages acknowledged, each heard once and in order", c.finish(ctx))
}

// settle waits until so many nodes hold replicas evenly and nothing moves.
func settle(ctx context.Context, t *testing.T, f *fleet.Fleet, nodes int) {
	t.Helper()
	begun := time.Now()
	await(ctx, t, "replicas and leaders are spread", func() bool { return settled(ctx, f, nodes) })
	t.Logf("spread over %d nodes after %v", nodes, time.Since(begun).Round(time.Millisecond))
}

func settled(ctx context.Context, f *fleet.Fleet, nodes int) bool {
	for _, n := range f.Nodes() {
		if !n.Runs() {
			continue
		}
		s, err := n.Status(ctx)
		if err != nil || len(s.Moves) > 0 || s.Meta.Leader == "" {
			return false
		}
		holders, least, most := 0, 1<<30, 0
		for _, m := range s.Nodes {
			if m.State == "active" && m.Alive {
				holders++
				least, most = min(least, m.Leaders), max(most, m.Leaders)
			} else if m.Replicas > 0 {
				return false
			}
		}
		want := min(nodes, 3)
		for _, sh := range s.Shards {
			if sh.Leader == "" || want == 3 && len(sh.Voters) != 3 {
				return false
			}
		}
		return holders == nodes && most-least <= 2
	}
	return false
}

// TestALeaderDiesBetweenCommitAndFanOut ends a node when messages are
// stored and nobody has been sent them: nothing stays undelivered.
func TestALeaderDiesBetweenCommitAndFanOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	f := begin(ctx, t, 3, withFailpoints)
	settle(ctx, t, f, 3)
	for _, n := range f.Nodes() {
		n.Stop()
		n.SetEnv("PARLEY_FAILPOINT=before-fanout:100")
		if err := n.Start(ctx); err != nil {
			t.Fatal(err)
		}
		n.SetEnv()
		settle(ctx, t, f, 3)
		c := converseOn(ctx, t, f, 6, n)
		await(ctx, t, "the failpoint ends the node", func() bool { return !n.Runs() })
		// Whoever had the last word says nothing more: the push must come by itself.
		c.paused.Store(true)
		c.finish(ctx)
		n.Kill()
		if err := n.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheClusterGrowsShrinksAndRolls takes a cluster under load from one node to
// three and five, drains one, loses one for good, and restarts all of them.
func TestTheClusterGrowsShrinksAndRolls(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	f := begin(ctx, t, 1, func(_ *testing.T, o *fleet.Options) { o.Env = []string{"PARLEY_LOG_LEVEL=debug"} })
	c := converse(ctx, t, f, 4)
	grow := func(by, to int) {
		since := time.Now()
		if err := f.Begin(ctx, by); err != nil {
			t.Fatal(err)
		}
		settle(ctx, t, f, to)
		c.goesOn(ctx)
		t.Logf("grown to %d; longest pause of one speaker %v", to, c.gap(since))
	}
	grow(2, 3)
	grow(2, 5)
	id := func(n *fleet.Node) string {
		s, err := n.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return s.Node
	}
	nodes := f.Nodes()
	drained, lost := nodes[4], nodes[3]
	drainedID, lostID := id(drained), id(lost)

	since := time.Now()
	if err := nodes[0].Administer(ctx, "drain", drainedID); err != nil {
		t.Fatal(err)
	}
	settle(ctx, t, f, 4)
	c.goesOn(ctx)
	t.Logf("drained one; longest pause of one speaker %v", c.gap(since))
	drained.Stop()
	if err := nodes[0].Administer(ctx, "remove", drainedID); err != nil {
		t.Fatal(err)
	}

	since = time.Now()
	lost.Kill()
	if err := nodes[0].Administer(ctx, "remove", lostID); err != nil {
		t.Fatal(err)
	}
	settle(ctx, t, f, 3)
	c.goesOn(ctx)
	t.Logf("lost one for good; longest pause of one speaker %v", c.gap(since))

	since = time.Now()
	for _, n := range nodes[:3] {
		n.Stop()
		if err := n.Start(ctx); err != nil {
			t.Fatal(err)
		}
		c.goesOn(ctx)
	}
	settle(ctx, t, f, 3)
	t.Logf("restarted all; longest pause of one speaker %v", c.gap(since))
	t.Logf("%d messages acknowledged, each heard once and in order", c.finish(ctx))
	oneLeaderATerm(t, f)
}

// TestAReplacedNodeIsPartOfTheWhole loses a node for good and adds another one:
// the cluster is not whole until its shards have left the one voter that they
// have on two nodes.
func TestAReplacedNodeIsPartOfTheWhole(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	f := begin(ctx, t, 3)
	whole := func() (s api.ClusterStatus) {
		t.Helper()
		err := f.AwaitWhole(ctx, 0)
		if err == nil {
			s, _, err = f.AnyStatus(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole()
	lost := f.Nodes()[2]
	s, err := lost.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lost.Kill()
	if err := f.Nodes()[0].Administer(ctx, "remove", s.Node); err != nil {
		t.Fatal(err)
	}
	f.Retire(lost)
	whole()
	fresh, err := f.Add()
	if err == nil {
		err = fresh.Start(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range whole().Shards {
		if len(sh.Voters) != 3 {
			t.Errorf("shard %d has the voters %v in a cluster that is whole", sh.Shard, sh.Voters)
		}
	}
}

// oneLeaderATerm reads from the nodes' logs that no two of them led a shard in
// the same term: so at most one activation of an identity acknowledged in it.
func oneLeaderATerm(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	led := make(map[string]string)
	line := regexp.MustCompile(`msg=leading shard=(\d+) term=(\d+)`)
	for _, n := range f.Nodes() {
		text, err := os.ReadFile(n.LogFile())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			at := m[1] + "/" + m[2]
			if other, ok := led[at]; ok && other != n.Name {
				t.Errorf("%s and %s both led shard %s in term %s", other, n.Name, m[1], m[2])
			}
			led[at] = n.Name
		}
	}
	if len(led) < 32 {
		t.Errorf("the logs tell of %d leaderships only", len(led))
	}
}

// TestAPausedNodeComesBack stops nodes for a while and lets them go on: nothing
// stale is answered, nothing forks, and the node is part of the cluster again.
func TestAPausedNodeComesBack(t *testing.T) {
	pauses := []time.Duration{time.Second, 5 * time.Second}
	if os.Getenv("PARLEY_LONG") != "" {
		pauses = append(pauses, 30*time.Second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	f := begin(ctx, t, 3)
	settle(ctx, t, f, 3)
	c := converse(ctx, t, f, 6)
	c.goesOn(ctx)
	for i, pause := range pauses {
		n := f.Nodes()[i%3]
		since := time.Now()
		if err := n.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		await(ctx, t, "the pause is over", func() bool { return time.Since(since) > pause })
		if err := n.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		c.goesOn(ctx)
		if err := n.AwaitReady(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s paused for %v; longest pause of one speaker %v", n.Name, pause, c.gap(since))
	}
	settle(ctx, t, f, 3)
	t.Logf("%d messages acknowledged, each heard once and in order", c.finish(ctx))
}
