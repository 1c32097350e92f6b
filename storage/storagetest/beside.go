package storagetest

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// beside runs read over and over in some goroutines while work runs in this
// one.
func (b *bench) beside(read func(), work func()) {
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					read()
				}
			}
		})
	}
	defer readers.Wait()
	defer close(stop)
	work()
}

// viewsOverInstall looks at rows that the old and the new contents both have: a
// view that misses one says ErrGone.
func viewsOverInstall(b *bench) {
	b.create()
	b.fill("old", 40)
	frozen, err := b.store.Freeze(1)
	if err != nil {
		b.Fatal(err)
	}
	chunks := b.chunks(frozen, 1000)
	if err := frozen.Close(); err != nil {
		b.Error(err)
	}
	b.beside(func() {
		v, err := b.store.View(1)
		if err != nil {
			b.Error(err)
			return
		}
		_, there, err := v.User(chat.UserKey{App: app, ID: "old1"})
		closed := v.Close()
		if err != nil || closed != nil && !errors.Is(closed, storage.ErrGone) {
			b.Errorf("read: %v, close: %v", err, closed)
		}
		if !there && closed == nil {
			b.Error("a view misses a row and does not say so")
		}
	}, func() {
		for range 100 {
			g, _ := b.stage(1, chunks)
			if err := b.store.Install(1, g); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.holds("old", "new")
}

// logBesideBatches reads the log while a batch after the other appends to it
// and truncates it: what is read is there, or truncated.
func logBesideBatches(b *bench) {
	b.create()
	b.batch(func(batch storage.Batch) { batch.Append(1, entries(1, 2, 30)) })
	b.beside(func() {
		r, err := b.store.Replica(1)
		if err != nil {
			b.Error(err)
		}
		from := r.Base.Index + 1
		got, err := b.store.Log(1, from, r.Last+1, math.MaxInt)
		if err != nil && !errors.Is(err, storage.ErrTruncated) {
			b.Errorf("entries [%d, %d]: %v", from, r.Last, err)
		}
		for i, e := range got {
			if want := from + uint64(i); e.Index != want || string(e.Data) != fmt.Sprintf("entry %d of term 1", want) {
				b.Errorf("entry %d is %+v", want, e)
			}
		}
	}, func() {
		for i := uint64(31); i < 1500; i++ {
			b.batch(func(batch storage.Batch) {
				batch.Append(1, entries(1, i, i))
				batch.SetApplied(1, storage.Applied{Position: storage.Position{Index: i - 5, Term: 1}, Descriptor: begin.Descriptor})
				batch.Truncate(1, storage.Position{Index: i - 10, Term: 1})
			})
		}
	})
	b.log(1489, entries(1, 1490, 1499))
}
