package directory

import (
	"sync"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// maxRecent is how many messages of a shard are remembered: 24 bytes and the key
// each, as they come.
const maxRecent = 2048

// recent is a ring of what was said last in a shard's conversations, filled on
// every replica as it applies, so that a new leader knows what the old one may not
// have pushed. Times are this process's own.
//
// Invariants: all holds maxRecent at most; then next is the oldest one; nothing
// newer than begun is missing from it.
type recent struct {
	mu    sync.Mutex
	all   []said
	next  int
	begun time.Duration
}

type said struct {
	at  time.Duration
	key chat.ConversationKey
}

func (r *recent) add(at time.Duration, key chat.ConversationKey) {
	if len(r.all) < maxRecent {
		r.all = append(r.all, said{at, key})
		return
	}
	r.begun = r.all[r.next].at
	r.all[r.next] = said{at, key}
	r.next = (r.next + 1) % maxRecent
}

// since lists the conversations in which something was said since a time, the
// latest first; false says that there may be others.
func (r *recent) since(at time.Duration) (keys []chat.ConversationKey, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make(map[chat.ConversationKey]bool)
	for n := range r.all {
		s := &r.all[(r.next+len(r.all)-1-n)%len(r.all)]
		if s.at < at {
			break
		}
		if !seen[s.key] {
			seen[s.key] = true
			keys = append(keys, s.key)
		}
	}
	return keys, r.begun < at
}

// Applied notes what this node's replica of a shard has applied.
func (d *Directory) Applied(shard storage.ShardID, events []chat.Event) {
	r := &d.stripes[shard].recent
	r.mu.Lock()
	defer r.mu.Unlock()
	at := d.elapsed()
	for _, e := range events {
		if a, ok := e.(chat.Appended); ok {
			r.add(at, a.Conversation)
		}
	}
}

// Installed notes that the replica has got its contents from another one: what was
// said before is not known.
func (d *Directory) Installed(shard storage.ShardID) {
	r := &d.stripes[shard].recent
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.next, r.begun = nil, 0, d.elapsed()
}
