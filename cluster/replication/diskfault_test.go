package replication_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/storage"
)

// worst is the node that leads most shards.
func worst(led map[storage.ShardID]storage.NodeID) (name storage.NodeID) {
	for _, n := range led {
		if count(led, n) > count(led, name) || count(led, n) == count(led, name) && n < name {
			name = n
		}
	}
	return name
}

// TestDiskFaultsLoseNothing breaks the disk of the node that leads most shards
// of three, under load, and wants the others to take over and every
// acknowledged message at its place.
func TestDiskFaultsLoseNothing(t *testing.T) {
	for _, f := range []struct {
		name  string
		fault Fault
		ends  bool // the node's process
	}{
		{"full", Fault{Full: true}, true},
		{"failing syncs", Fault{Broken: true}, true},
		{"a sync of 1 s", Fault{Stall: time.Second}, false},
		{"a sync of 10 s", Fault{Stall: 10 * time.Second}, false},
	} {
		t.Run(f.name, func(t *testing.T) {
			c := newCluster(t, 3, killShards)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			led := c.awaitLeaders(ctx)
			l := newLoad(c)
			l.start(ctx)
			victim := worst(led)
			l.awaitAck(ctx, 1, time.Time{})
			led = c.leaders(ctx)
			begun := time.Now()
			// A process that is to end may do so before it answers.
			if err := c.call(ctx, victim, "Break", f.fault, new(bool)); err != nil && !f.ends {
				t.Fatal(err)
			}
			var took time.Duration
			for s, name := range led {
				if name == victim {
					// A message acknowledged within the first moment may have been synced before.
					took = max(took, l.awaitAck(ctx, s, begun.Add(20*time.Millisecond)).Sub(begun))
				}
			}
			t.Logf("%s on %s: %d shards led, the last one writable after %v", f.name, victim, count(led, victim), took.Round(time.Millisecond))
			if took > 5*time.Second {
				t.Errorf("a shard took no write for %v", took)
			}
			if f.ends {
				c.await(ctx, "the process ends", func() bool { return c.ended(victim) })
				c.kill(victim)
				c.start(victim)
			}
			c.awaitLeaders(ctx)
			l.stop()
			l.check(ctx)
			t.Logf("%d acknowledged, %d retries; 0 lost, 0 duplicated, 0 gaps", len(l.acked), l.retries)
		})
	}
}

// TestADamagedDiskIsNoticedAndReplaced flips a bit in a log or a table of one
// node that is down: it must not serve what it reads there, and a new node in
// its place gets everything from the others.
func TestADamagedDiskIsNoticedAndReplaced(t *testing.T) {
	for _, suffix := range []string{".log", ".sst"} {
		t.Run(suffix, func(t *testing.T) {
			c := newCluster(t, 3, killShards)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			c.awaitLeaders(ctx)
			l := newLoad(c)
			l.start(ctx)
			for s := storage.ShardID(1); s <= killShards; s++ {
				l.awaitAck(ctx, s, time.Now())
			}
			if suffix == ".sst" { // what a start flushes
				c.kill("n2")
				c.start("n2")
				l.awaitAck(ctx, 1, time.Now())
			}
			c.kill("n2")
			// A bit may be turned in bytes that nobody reads any more: then another one.
			for part, noticed := 1, false; !noticed; part++ {
				if part == parts {
					t.Fatalf("%d bits were turned and nothing was noticed", part-1)
				}
				name := flip(t, c.nodes["n2"].config.Dir, suffix, part)
				err := c.tryStart("n2")
				noticed = err != nil || c.damaged(ctx, "n2")
				t.Logf("a bit of %s: noticed at the start: %v (%v), then: %v", name, err != nil, err, noticed)
				c.kill("n2")
			}
			c.wipe("n2", "n4")
			l.replace(ctx, "n2", "n4")
			c.awaitLeaders(ctx)
			l.stop()
			l.check(ctx)
			t.Logf("%d acknowledged, %d retries; 0 lost, 0 duplicated, 0 gaps", len(l.acked), l.retries)
		})
	}
}

// parts is into how many parts flip divides a file.
const parts = 12

// flip turns a bit at the end of a part, from 1 on, of the largest file of a
// kind.
func flip(t *testing.T, dir, suffix string, part int) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	largest, size := "", int64(0)
	for _, f := range files {
		if info, err := f.Info(); err == nil && strings.HasSuffix(f.Name(), suffix) && info.Size() > size {
			largest, size = f.Name(), info.Size()
		}
	}
	if largest == "" {
		t.Fatalf("there is no file *%s", suffix)
	}
	name := filepath.Join(dir, largest)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	written := len(data)
	for written > 0 && data[written-1] == 0 { // logs are allocated ahead
		written--
	}
	at := part * written / parts
	data[at] ^= 0x10
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s (byte %d of %d)", largest, at, written)
}
