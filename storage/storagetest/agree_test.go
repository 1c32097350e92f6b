package storagetest_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/promise"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
	"github.com/parley-im/parley/storage/pebble"
)

// shards is small, so that users, conversations and outboxes share them.
const shards = 3

// duo is the two stores, given the same commands, and what these must lead to.
type duo struct {
	*rapid.T
	disk   vfs.FS
	pebble *pebble.Store
	memory *memory.Store
	world  *promise.World
	steps  int
	frozen map[storage.ShardID]frozen
}

// frozen is a shard at an earlier moment.
type frozen struct {
	pebble, memory [][]byte // chunks
	world          promise.Saved
}

// place is where the stores look for what concerns an addressee.
func place(to chat.Addressee) uint16 { return uint16(storage.AddresseeShard(shards, to)) }

func (d *duo) open() {
	s, err := pebble.Open(pebble.Options{Dir: "data", FS: d.disk, Shards: shards})
	if err != nil {
		d.Fatal(err)
	}
	d.pebble = s
}

func (d *duo) reopen() {
	if err := d.pebble.Close(); err != nil {
		d.Fatal(err)
	}
	d.open()
}

// batch gives both the same commands, and commits or discards.
func (d *duo) batch() {
	before := d.world.Save()
	p, m := d.pebble.Batch(), d.memory.Batch()
	for shard := storage.ShardID(1); shard <= shards; shard++ {
		d.log(shard, p, m)
	}
	for range rapid.IntRange(1, 60).Draw(d.T, "commands") {
		d.step(p, m)
	}
	if rapid.IntRange(0, 9).Draw(d.T, "discard") == 9 {
		p.Discard()
		m.Discard()
		d.world.Discard(before)
		return
	}
	if err := p.Commit(true); err != nil {
		d.Fatal(err)
	}
	if err := m.Commit(true); err != nil {
		d.Fatal(err)
	}
}

// step gives both a command, and holds what they give and have against the world.
func (d *duo) step(p, m storage.Batch) {
	d.steps++
	step := d.world.Draw(d.T)
	want := d.world.Expect(step)
	for name, batch := range map[string]storage.Batch{"pebble": p, "memory": m} {
		state := batch.State(storage.ShardID(step.Shard))
		res, events := step.Apply(state)
		if err := errors.Join(want.Check(res, events), d.world.Check(step.Shard, state, false), batch.Err()); err != nil {
			d.Fatalf("%s, %v: %v", name, step, err)
		}
	}
}

// promised holds all rows that both have committed against the world.
func (d *duo) promised() {
	for name, store := range map[string]storage.Store{"pebble": d.pebble, "memory": d.memory} {
		batch := store.Batch()
		for shard := storage.ShardID(1); shard <= shards; shard++ {
			if err := errors.Join(d.world.Check(uint16(shard), batch.State(shard), true), batch.Err()); err != nil {
				d.Fatalf("%s, shard %d: %v", name, shard, err)
			}
		}
		batch.Discard()
	}
}

// compare reads everything from both.
func (d *duo) compare() {
	for shard := storage.ShardID(1); shard <= shards; shard++ {
		p, err := d.pebble.View(shard)
		if err != nil {
			d.Fatal(err)
		}
		m, _ := d.memory.View(shard)
		for _, u := range promise.Users {
			d.same(shard, "user "+u.ID, rows(p.User(u)), rows(m.User(u)))
			d.same(shard, "memberships of "+u.ID, d.memberships(p, u), d.memberships(m, u))
		}
		for _, c := range promise.Conversations {
			d.same(shard, "head of "+c.ID, rows(p.Head(c)), rows(m.Head(c)))
			after, limit := rapid.Uint64Range(0, 80).Draw(d.T, "after"), rapid.IntRange(0, 40).Draw(d.T, "limit")
			before := after + rapid.Uint64Range(0, 50).Draw(d.T, "span")
			for _, newest := range []bool{false, true} {
				pe, errP := p.Entries(c, after, before, limit, newest)
				me, errM := m.Entries(c, after, before, limit, newest)
				d.same(shard, fmt.Sprintf("entries of %s after %d before %d, %d, %v", c.ID, after, before, limit, newest), rows(pe, len(pe) > 0, errP), rows(me, len(me) > 0, errM))
			}
		}
		d.outboxes(shard, p, m)
		d.logs(shard)
		if err := p.Close(); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *duo) outboxes(shard storage.ShardID, p, m storage.View) {
	pu, errP := p.Undelivered()
	mu, errM := m.Undelivered()
	d.same(shard, "undelivered", rows(pu, len(pu) > 0, errP), rows(mu, len(mu) > 0, errM))
	for to := storage.ShardID(1); to <= shards; to++ {
		first, effects := d.world.Undelivered(uint16(shard), uint16(to))
		want := rows(effects[:min(5, len(effects))], first > 0, nil)
		pf, pe, errP := p.Effects(to, 5)
		mf, me, errM := m.Effects(to, 5)
		d.same(shard, "effects", rows(pe, pf > 0, errP), want)
		d.same(shard, "effects", want, rows(me, mf > 0, errM))
		d.same(shard, "first effect", [2]uint64{pf, first}, [2]uint64{first, mf})
	}
}

func (d *duo) same(shard storage.ShardID, what string, p, m any) {
	if !reflect.DeepEqual(p, m) {
		d.Fatalf("shard %d, %s: pebble has %+v, memory %+v", shard, what, p, m)
	}
}

func (d *duo) memberships(v storage.View, u chat.UserKey) any {
	out := map[chat.ConversationKey]chat.Membership{}
	err := v.Memberships(u, func(c chat.ConversationKey, m chat.Membership) bool { out[c] = m; return true })
	return rows(out, true, err)
}

// rows makes one comparable value of a read's results.
func rows(v any, ok bool, err error) any {
	if !ok {
		v = nil
	}
	return []any{v, ok, err}
}

// TestBothStoresKeepWhatIsPromised makes some thousands of steps; a million take
//
//	go test ./storage/storagetest -run BothStores -v -rapid.checks=5000
func TestBothStoresKeepWhatIsPromised(t *testing.T) {
	steps := 0
	rapid.Check(t, func(t *rapid.T) {
		d := &duo{T: t, disk: vfs.NewMem(), memory: memory.New(shards, "n1"), world: promise.New(shards, place), frozen: map[storage.ShardID]frozen{}}
		d.open()
		for range rapid.IntRange(4, 20).Draw(t, "batches") {
			d.batch()
			if rapid.IntRange(0, 4).Draw(t, "reopen") == 0 {
				d.reopen()
			}
			d.replace()
			d.promised()
			d.compare()
		}
		if err := d.pebble.Close(); err != nil {
			t.Fatal(err)
		}
		steps += d.steps
	})
	t.Logf("%d steps", steps)
}
