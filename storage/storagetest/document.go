package storagetest

import "github.com/parley-im/parley/storage"

// document wants a shard's document to have a version and a content.
func (b *bench) document(shard storage.ShardID, version uint64, content string) {
	b.Helper()
	b.view(shard, func(v storage.View) error {
		d, err := v.Document()
		if d.Version != version || string(d.Content) != content {
			b.Errorf("the document of shard %d is %d %q, want %d %q", shard, d.Version, d.Content, version, content)
		}
		for i := range d.Content { // it belongs to the caller
			d.Content[i] = '!'
		}
		return err
	})
}

func documentIsKept(b *bench) {
	b.document(storage.MetaShard, 0, "")
	for version, content := range []string{1: "one", 2: "", 3: "three"} {
		if version == 0 {
			continue
		}
		b.batch(func(batch storage.Batch) {
			if d := batch.Document(storage.MetaShard); d.Version != uint64(version-1) {
				b.Errorf("version %d is to follow on %d", version, d.Version)
			}
			batch.SetDocument(storage.MetaShard, storage.Document{Version: 99, Content: []byte("replaced in the same batch")})
			batch.SetDocument(storage.MetaShard, storage.Document{Version: uint64(version), Content: []byte(content)})
			if d := batch.Document(storage.MetaShard); d.Version != uint64(version) || string(d.Content) != content {
				b.Errorf("the batch reads %d %q of what it wrote as %d %q", d.Version, d.Content, version, content)
			}
		})
		b.document(storage.MetaShard, uint64(version), content)
	}
	batch := b.store.Batch()
	batch.SetDocument(storage.MetaShard, storage.Document{Version: 4, Content: []byte("discarded")})
	batch.Discard()
	b.batch(func(batch storage.Batch) {
		if d := batch.Document(storage.MetaShard); d.Version != 3 {
			b.Errorf("after a discarded batch the next one reads version %d", d.Version)
		}
	})
	b.document(storage.MetaShard, 3, "three")
	b.document(1, 0, "")
	b.reopen()
	b.document(storage.MetaShard, 3, "three")
}

func documentTravels(b *bench) {
	b.create()
	b.batch(func(batch storage.Batch) {
		batch.SetDocument(1, storage.Document{Version: 5, Content: []byte("of shard 1")})
		batch.Create(2, 7, begin)
		batch.SetDocument(2, storage.Document{Version: 9, Content: []byte("of shard 2")})
	})
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	chunks := b.chunks(frozen, 20)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	b.batch(func(batch storage.Batch) {
		batch.SetDocument(1, storage.Document{Version: 6, Content: []byte("after the snapshot")})
	})
	g, _ := b.stage(1, chunks)
	if err := b.store.Install(1, g); err != nil {
		b.Fatal(err)
	}
	for range 2 {
		b.document(1, 5, "of shard 1")
		b.document(2, 9, "of shard 2")
		b.reopen()
	}
	if err := b.store.Destroy(1); err != nil {
		b.Fatal(err)
	}
	b.document(1, 0, "")
	b.batch(func(batch storage.Batch) {
		if d := batch.Document(1); d.Version != 0 {
			b.Errorf("a batch reads version %d of a destroyed replica's document", d.Version)
		}
	})
}
