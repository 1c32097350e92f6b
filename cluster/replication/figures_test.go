package replication_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/storage"
)

// TestFigures measures, on real processes, what docs/performance.md reports of
// replication: PARLEY_FIGURES=1 go test -run Figures -v ./cluster/replication.
// It judges nothing.
func TestFigures(t *testing.T) {
	if os.Getenv("PARLEY_FIGURES") == "" {
		t.Skip("PARLEY_FIGURES is not set")
	}
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
			c := newCluster(t, nodes, storage.DefaultShards)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			led := c.awaitLeaders(ctx)
			for _, name := range c.names() {
				t.Logf("%s leads %d of %d shards", name, count(led, name), storage.DefaultShards)
			}
			const idle = 10 * time.Second
			before := c.cpu(t)
			begun := time.Now()
			c.await(ctx, "idle time has passed", func() bool { return time.Since(begun) > idle })
			for name, used := range c.cpu(t) {
				t.Logf("idle %s: %.1f %% of a core, %d MB resident", name, 100*(used-before[name]).Seconds()/idle.Seconds(), c.rss(t, name)>>20)
			}
			for range 3 {
				c.measure(ctx, t, Work{Proposers: 8, For: 5 * time.Second, Bytes: 200})
			}
		})
	}
}

// measure has all nodes work at once.
func (c *cluster) measure(ctx context.Context, t *testing.T, w Work) {
	before := c.cpu(t)
	var mu sync.Mutex
	var all Worked
	var nodes sync.WaitGroup
	for _, name := range c.names() {
		nodes.Go(func() {
			var one Worked
			if err := c.call(ctx, name, "Run", w, &one); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all.Acked += one.Acked
			all.Failed += one.Failed
			all.Took = append(all.Took, one.Took...)
		})
	}
	nodes.Wait()
	var cpu time.Duration
	for name, used := range c.cpu(t) {
		cpu += used - before[name]
	}
	slices.Sort(all.Took)
	t.Logf("%d proposers a shard: %.0f acked/s, p50 %v, p99 %v, %.1f CPU-s per 100k over all nodes, %d failed", w.Proposers,
		float64(all.Acked)/w.For.Seconds(), at(all.Took, 50), at(all.Took, 99), cpu.Seconds()/float64(max(1, all.Acked))*100_000, all.Failed)
}

// cpu is the processor time of each node's process so far.
func (c *cluster) cpu(t *testing.T) map[storage.NodeID]time.Duration {
	out := make(map[storage.NodeID]time.Duration)
	for _, name := range c.names() {
		f := c.proc(t, name, "stat")
		f = f[strings.LastIndexByte(f, ')')+1:] // the name before may hold blanks
		var ticks int64
		for _, s := range strings.Fields(f)[11:13] { // utime, stime
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			ticks += n
		}
		out[name] = time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
	}
	return out
}

// rss is a process's resident memory in bytes.
func (c *cluster) rss(t *testing.T, name storage.NodeID) int64 {
	pages, err := strconv.ParseInt(strings.Fields(c.proc(t, name, "statm"))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func (c *cluster) proc(t *testing.T, name storage.NodeID, file string) string {
	c.mu.Lock()
	pid := c.nodes[name].cmd.Process.Pid
	c.mu.Unlock()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
