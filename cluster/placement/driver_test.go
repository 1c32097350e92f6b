package placement_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/cluster/placement"
	"github.com/parley-im/parley/storage"
)

// fake is a cluster that does at once what it is asked, unless hold is set: then
// steps wait for their context.
type fake struct {
	mu      sync.Mutex
	doc     storage.Document
	members []placement.Member
	shards  []placement.Shard
	hold    bool
	failing error         // of Meta
	ahead   time.Duration // of the leader's wall clock
	racing  int           // SetMeta finds another one to have been faster, so many times
	steps   []placement.Step
	ended   int // held steps whose context ended
}

func (f *fake) Observed() []placement.Shard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.shards)
}

func (f *fake) Members() []placement.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

func (f *fake) Reshape(ctx context.Context, leader storage.NodeID, shard storage.ShardID, t placement.Target) error {
	return f.do(ctx, placement.Step{Shard: shard, Leader: leader, Target: t})
}

func (f *fake) Transfer(ctx context.Context, leader storage.NodeID, shard storage.ShardID, to storage.NodeID) error {
	return f.do(ctx, placement.Step{Shard: shard, Leader: leader, To: to})
}

func (f *fake) do(ctx context.Context, s placement.Step) error {
	if _, limited := ctx.Deadline(); !limited {
		panic("a step without a deadline")
	}
	f.mu.Lock()
	f.steps = append(f.steps, s)
	hold := f.hold
	f.mu.Unlock()
	if hold {
		<-ctx.Done()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if hold {
		f.ended++
		return ctx.Err()
	}
	at := &f.shards[s.Shard]
	if at.Leader != s.Leader {
		return errors.New("it does not lead")
	}
	if s.To != "" {
		at.Leader = s.To
	} else {
		at.Voters, at.Learners = s.Target.Voters, s.Target.Learners
	}
	return nil
}

func (f *fake) Meta(context.Context) (storage.Document, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return storage.Document{Version: f.doc.Version, Content: bytes.Clone(f.doc.Content)}, f.failing
}

func (f *fake) SetMeta(_ context.Context, expect uint64, document []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.racing > 0 {
		f.racing--
		f.doc.Version++
	}
	if expect != f.doc.Version {
		return storage.ErrConflict
	}
	f.doc = storage.Document{Version: expect + 1, Content: document}
	return nil
}

func (f *fake) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.ahead)
}

func (f *fake) registry(t *testing.T) placement.Registry {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := placement.Decode(f.doc.Content)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drive runs a driver over so many nodes in a bubble of fake time.
func drive(t *testing.T, nodes int, f func(t *testing.T, d *placement.Driver, c *fake)) {
	synctest.Test(t, func(t *testing.T) {
		c := &fake{}
		for i := range nodes {
			c.members = append(c.members, placement.Member{ID: name(i)})
		}
		c.shards = view(registry(""), 13).Shards
		d := placement.NewDriver(placement.Options{
			Cluster: c, Found: placement.Registry{Cluster: "c1", Shards: 12}, Now: c.now, Log: slog.New(slog.DiscardHandler),
		})
		f(t, d, c)
		if err := d.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// pass lets an amount of fake time go by.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	over := time.NewTimer(d)
	<-over.C
	synctest.Wait()
}

func TestTheDriverFoundsTheRegistryAndGrowsTheCluster(t *testing.T) {
	drive(t, 1, func(t *testing.T, d *placement.Driver, c *fake) {
		pass(t, time.Minute)
		if c.doc.Version != 0 || len(c.steps) != 0 {
			t.Error("it works without having been started")
		}
		d.Start(7)
		pass(t, 5*time.Second)
		if r := c.registry(t); r.Cluster != "c1" || r.Shards != 12 || len(r.Nodes) != 1 {
			t.Errorf("the registry is %+v", r)
		}
		version := c.doc.Version
		pass(t, time.Minute)
		if c.doc.Version != version || len(c.steps) != 0 {
			t.Errorf("an idle cluster's document goes from version %d to %d, with steps %v", version, c.doc.Version, c.steps)
		}
		c.mu.Lock()
		for i := 1; i < 4; i++ {
			c.members = append(c.members, placement.Member{ID: name(i)})
		}
		c.mu.Unlock()
		pass(t, time.Minute)
		v := placement.View{Shards: c.Observed()}
		led := make(map[storage.NodeID]int)
		for _, s := range v.Shards[1:] {
			led[s.Leader]++
		}
		all := []storage.NodeID{name(0), name(1), name(2), name(3)}
		if gap(loads(v), all) > 1 || loads(v)[name(3)] == 0 || gap(led, all) > 1 || len(d.Moves()) != 0 {
			t.Errorf("the nodes hold %v and lead %v; under way are %v", loads(v), led, d.Moves())
		}
	})
}

func TestADrainedNodeLeadsNothingThenHoldsNothing(t *testing.T) {
	drive(t, 4, func(t *testing.T, d *placement.Driver, c *fake) {
		d.Start(1)
		pass(t, time.Minute)
		c.mu.Lock()
		c.racing = 3
		before := len(c.steps)
		c.mu.Unlock()
		if err := d.Drain(t.Context(), name(2)); err != nil {
			t.Error(err)
		}
		pass(t, time.Minute)
		if n := loads(placement.View{Shards: c.Observed()})[name(2)]; n != 0 {
			t.Errorf("it still holds %d", n)
		}
		moved := false
		for _, s := range c.steps[before:] {
			if s.To == name(2) {
				t.Errorf("step %+v hands over to it", s)
			}
			if moved = moved || s.To == "" && s.Leader != name(2); s.To == "" && s.Leader == name(2) {
				t.Errorf("step %+v has it change its own replicas", s)
			}
		}
		if !moved {
			t.Error("nothing was moved")
		}
		if err := d.Drain(t.Context(), "nobody"); !errors.Is(err, placement.ErrUnknownNode) {
			t.Error(err)
		}
		if err := d.Undrain(t.Context(), name(2)); err != nil {
			t.Error(err)
		}
		pass(t, time.Minute)
		if n := loads(placement.View{Shards: c.Observed()})[name(2)]; n < 9 {
			t.Errorf("active again it holds %d of 39", n)
		}
	})
}

func TestASilentNodeIsReplacedAndASilenceThatEndsForgotten(t *testing.T) {
	drive(t, 4, func(t *testing.T, d *placement.Driver, c *fake) {
		d.Start(1)
		pass(t, time.Minute)
		away := func() (m placement.Member) {
			c.mu.Lock()
			defer c.mu.Unlock()
			m, c.members = c.members[3], c.members[:3]
			for i := range c.shards {
				if s := &c.shards[i]; s.Leader == m.ID {
					s.Leader = s.Voters[0]
				}
			}
			return m
		}
		m := away()
		pass(t, placement.SilentFor-10*time.Second)
		c.mu.Lock()
		c.members = append(c.members, m)
		c.mu.Unlock()
		pass(t, 10*time.Second)
		away()
		pass(t, placement.SilentFor-10*time.Second)
		if n := loads(placement.View{Shards: c.Observed()})[m.ID]; n < 9 {
			t.Errorf("before its time the silent node holds %d of 39", n)
		}
		pass(t, time.Minute)
		if n := loads(placement.View{Shards: c.Observed()})[m.ID]; n != 0 {
			t.Errorf("after its time the silent node holds %d", n)
		}
	})
}

func TestStepsEndWithTheLeadershipAndWithTheNodesThatTheyNeed(t *testing.T) {
	drive(t, 3, func(t *testing.T, d *placement.Driver, c *fake) {
		c.hold = true
		d.Start(1)
		pass(t, 5*time.Second)
		if moves := d.Moves(); len(moves) != placement.MaxReshapesPerNode || moves[0].Since.IsZero() {
			t.Errorf("under way are %+v", moves)
		}
		c.mu.Lock()
		c.members = c.members[:2]
		c.mu.Unlock()
		pass(t, 5*time.Second)
		if c.ended == 0 {
			t.Error("a step that needs a dead node goes on")
		}
		d.Stop()
		synctest.Wait()
		if c.ended != len(c.steps) || len(d.Moves()) != 0 {
			t.Errorf("%d of %d steps have ended, under way are %v", c.ended, len(c.steps), d.Moves())
		}
		c.mu.Lock()
		c.hold = false
		c.mu.Unlock()
		d.Start(2)
		d.Start(3)
		pass(t, time.Minute)
		if got := loads(placement.View{Shards: c.Observed()}); got[name(1)] != 13 {
			t.Errorf("in the next term the nodes hold %v", got)
		}
	})
}

func TestWithoutTheMetaShardTheDriverWaits(t *testing.T) {
	drive(t, 3, func(t *testing.T, d *placement.Driver, c *fake) {
		c.failing = errors.New("no leader")
		d.Start(1)
		pass(t, time.Minute)
		if len(c.steps) != 0 || c.doc.Version != 0 {
			t.Errorf("steps %v, document %d", c.steps, c.doc.Version)
		}
		if err := d.Remove(t.Context(), name(1)); !errors.Is(err, c.failing) {
			t.Error(err)
		}
		c.mu.Lock()
		c.failing = nil
		c.mu.Unlock()
		d.Nudge()
		pass(t, time.Minute)
		if len(c.registry(t).Nodes) != 3 {
			t.Error("it does not go on")
		}
	})
}

// TestNoClockEvictsANode: the time of day of whoever leads the meta shard jumps
// while a node is missed for a minute, and the next leader goes on counting.
func TestNoClockEvictsANode(t *testing.T) {
	drive(t, 4, func(t *testing.T, d *placement.Driver, c *fake) {
		d.Start(1)
		pass(t, time.Minute)
		c.mu.Lock()
		missed := c.members[3].ID
		c.members = c.members[:3]
		for i := range c.shards {
			if s := &c.shards[i]; s.Leader == missed {
				s.Leader = s.Voters[0]
			}
		}
		c.mu.Unlock()
		for term := range storage.Term(9) {
			c.mu.Lock()
			c.ahead += 24 * time.Hour
			c.mu.Unlock()
			pass(t, time.Minute+time.Second)
			if got := d.Silent()[missed].Truncate(time.Minute); got != time.Duration(term+1)*time.Minute {
				t.Fatalf("in leadership %d it has been silent for %v", term+1, got)
			}
			d.Start(term + 2)
		}
		if n := loads(placement.View{Shards: c.Observed()})[missed]; n < 9 {
			t.Errorf("after nine minutes it holds %d of 39", n)
		}
		pass(t, 2*time.Minute)
		if n := loads(placement.View{Shards: c.Observed()})[missed]; n != 0 {
			t.Errorf("after eleven minutes it holds %d", n)
		}
	})
}
