package storagetest

import (
	"github.com/parley-im/parley/storage"
)

// sizes: what was committed before an open counts, in its own shard only.
func sizes(b *bench) {
	c := pairOfShard1()
	for i := range 64 {
		s := message(c, i+1)
		s.Content = make([]byte, 16<<10)
		for j := range s.Content {
			s.Content[j] = byte(j*i*7 + j>>3*31 + j*j) // not to be compressed to nothing
		}
		if r := b.send(s); r[0].Err != nil {
			b.Fatal(r[0].Err)
		}
	}
	b.reopen()
	if got := b.size(1); got < 64<<10 || got > 4<<20 {
		b.Errorf("a shard with 1 MiB of messages has %d bytes", got)
	}
	if got := b.size(2); got > 16<<10 {
		b.Errorf("an empty shard has %d bytes", got)
	}
	b.view(1, func(v storage.View) error {
		_, ok, err := v.Head(c)
		if !ok {
			b.Error("there is no conversation")
		}
		return err
	})
}

func (b *bench) size(s storage.ShardID) uint64 {
	b.Helper()
	size, err := b.store.Size(s)
	if err != nil {
		b.Fatal(err)
	}
	return size
}
