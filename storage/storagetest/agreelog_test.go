package storagetest_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/storage"
)

// log gives a batch of both the same changes of a replica and of its log.
func (d *duo) log(shard storage.ShardID, p, m storage.Batch) {
	r, err := d.memory.Replica(shard)
	if err != nil {
		d.Fatal(err)
	}
	both := func(f func(storage.Batch)) { f(p); f(m) }
	if r.ID == 0 || r.Removed {
		at := storage.Applied{Position: d.position(rapid.Uint64Range(0, 3).Draw(d.T, "begin")), Descriptor: []byte("first")}
		both(func(b storage.Batch) { b.Create(shard, r.ID+1, at) })
		r = storage.Replica{Applied: at, Base: at.Position, Last: at.Index}
	}
	for range rapid.IntRange(0, 4).Draw(d.T, "changes") {
		switch rapid.IntRange(0, 5).Draw(d.T, "change") {
		default:
			entries := d.entries(rapid.Uint64Range(r.Applied.Index+1, r.Last+1).Draw(d.T, "from"))
			both(func(b storage.Batch) { b.Append(shard, entries) })
			r.Last = entries[len(entries)-1].Index
		case 3:
			h := storage.HardState{Term: storage.Term(d.steps), Vote: r.ID, Commit: rapid.Uint64Range(0, 20).Draw(d.T, "commit")}
			both(func(b storage.Batch) { b.SetHardState(shard, h) })
		case 4:
			r.Applied.Position = d.position(rapid.Uint64Range(r.Applied.Index, r.Last).Draw(d.T, "applied"))
			r.Applied.Descriptor = rapid.SampledFrom([][]byte{[]byte("first"), []byte("second")}).Draw(d.T, "descriptor")
			both(func(b storage.Batch) { b.SetApplied(shard, r.Applied) })
		case 5:
			r.Base = d.position(rapid.Uint64Range(r.Base.Index, r.Applied.Index).Draw(d.T, "base"))
			both(func(b storage.Batch) { b.Truncate(shard, r.Base) })
		}
	}
}

// position has the same term for an index wherever it is met, as in a log.
func (d *duo) position(index uint64) storage.Position {
	return storage.Position{Index: index, Term: storage.Term(1 + index/4)}
}

func (d *duo) entries(from uint64) (out []storage.LogEntry) {
	for i := range rapid.Uint64Range(1, 5).Draw(d.T, "entries") {
		out = append(out, storage.LogEntry{Position: d.position(from + i), Kind: uint8(i), Data: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(d.T, "data")})
	}
	return out
}

// replace may freeze a shard, destroy one, or install what was frozen earlier.
func (d *duo) replace() {
	shard := storage.ShardID(rapid.IntRange(1, shards).Draw(d.T, "replaced"))
	r, err := d.memory.Replica(shard)
	if err != nil {
		d.Fatal(err)
	}
	if r.ID == 0 || r.Removed {
		return
	}
	switch rapid.IntRange(0, 7).Draw(d.T, "replace") {
	case 0, 1:
		d.frozen[shard] = frozen{d.freeze(d.pebble, shard), d.freeze(d.memory, shard), d.world.Save()}
	case 2:
		if err := errors.Join(d.pebble.Destroy(shard), d.memory.Destroy(shard)); err != nil {
			d.Fatal(err)
		}
		d.world.Install(uint16(shard), nil)
	case 3, 4:
		if f, ok := d.frozen[shard]; ok {
			d.same(shard, "applied of what is staged", d.install(d.pebble, shard, f.pebble), d.install(d.memory, shard, f.memory))
			d.world.Install(uint16(shard), f.world)
		}
	}
}

func (d *duo) freeze(s storage.Store, shard storage.ShardID) (chunks [][]byte) {
	f, err := s.Freeze(shard)
	if err != nil {
		d.Fatal(err)
	}
	size := rapid.IntRange(1, 500).Draw(d.T, "chunk")
	for {
		chunk, err := f.Next(size)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.Fatal(err)
		}
		chunks = append(chunks, chunk)
	}
	if err := f.Close(); err != nil {
		d.Fatal(err)
	}
	return chunks
}

func (d *duo) install(s storage.Store, shard storage.ShardID, chunks [][]byte) storage.Applied {
	g, err := s.Stage(shard)
	if err != nil {
		d.Fatal(err)
	}
	for _, c := range chunks {
		if err := g.Write(c); err != nil {
			d.Fatal(err)
		}
	}
	a, err := g.Seal()
	if err := errors.Join(err, s.Install(shard, g)); err != nil {
		d.Fatal(err)
	}
	return a
}

// logs compares what both say of a shard's replica, and parts of its log.
func (d *duo) logs(shard storage.ShardID) {
	p, errP := d.pebble.Replica(shard)
	m, errM := d.memory.Replica(shard)
	if !reflect.DeepEqual(p, m) || errP != nil || errM != nil {
		d.Fatalf("shard %d: pebble's replica is %+v, %v, memory's %+v, %v", shard, p, errP, m, errM)
	}
	from := rapid.Uint64Range(0, m.Last+2).Draw(d.T, "from")
	to := rapid.Uint64Range(from, m.Last+2).Draw(d.T, "to")
	size := rapid.IntRange(0, 40).Draw(d.T, "bytes")
	lp, errP := d.pebble.Log(shard, from, to, size)
	lm, errM := d.memory.Log(shard, from, to, size)
	d.same(shard, fmt.Sprintf("log from %d to %d, %d bytes", from, to, size), fmt.Sprint(lp, errP), fmt.Sprint(lm, errM))
}
