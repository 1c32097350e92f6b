package storagetest_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
	"github.com/parley-im/parley/storage/pebble"
)

// shards is small, so that users, conversations and outboxes share them.
const shards = 3

var users = []string{"a", "b", "c", "d"}

// duo is the two stores, given the same commands.
type duo struct {
	*rapid.T
	disk   vfs.FS
	pebble *pebble.Store
	memory *memory.Store
	now    int64
	sent   []chat.Send
	frozen map[storage.ShardID][2][][]byte // chunks of an earlier moment: pebble's, memory's
}

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
	p, m := d.pebble.Batch(), d.memory.Batch()
	for shard := storage.ShardID(1); shard <= shards; shard++ {
		d.log(shard, p, m)
	}
	for range rapid.IntRange(1, 30).Draw(d.T, "commands") {
		shard, body := d.command(m)
		d.now += rapid.Int64Range(0, 2).Draw(d.T, "tick")
		c := chat.Command{Version: chat.Version, Time: d.now, Body: body}
		rp, ep := chat.Apply(p.State(shard), c)
		rm, em := chat.Apply(m.State(shard), c)
		if !reflect.DeepEqual(rp, rm) || !reflect.DeepEqual(ep, em) {
			d.Fatalf("shard %d, %+v: pebble gives %+v %+v, memory %+v %+v", shard, body, rp, ep, rm, em)
		}
	}
	if rapid.IntRange(0, 9).Draw(d.T, "discard") == 0 {
		p.Discard()
		m.Discard()
		return
	}
	if err := p.Commit(true); err != nil {
		d.Fatal(err)
	}
	if err := m.Commit(true); err != nil {
		d.Fatal(err)
	}
}

// command draws one, and the shard that it goes to.
func (d *duo) command(m storage.Batch) (storage.ShardID, chat.CommandBody) {
	user := chat.UserKey{App: 1, ID: rapid.SampledFrom(users).Draw(d.T, "user")}
	c := drawPair(d.T)
	at := func(c chat.ConversationKey) storage.ShardID { return storage.ConversationShard(shards, c) }
	switch rapid.IntRange(0, 12).Draw(d.T, "kind") {
	case 0:
		return storage.UserShard(shards, user), chat.Login{
			User: user, Name: rapid.SampledFrom([]string{"", "N"}).Draw(d.T, "name"), DeviceID: rapid.SampledFrom([]string{"", "d"}).Draw(d.T, "device")}
	case 1:
		seq := rapid.Uint64Range(0, 9).Draw(d.T, "seq")
		return storage.UserShard(shards, user), chat.MarkRead{User: user, Conversation: c, Mark: chat.Mark{Seq: seq, Counted: seq}}
	case 2:
		to := storage.ShardID(rapid.IntRange(1, shards).Draw(d.T, "destination"))
		source := uint16(rapid.IntRange(1, shards).Draw(d.T, "source"))
		applied, _ := m.State(to).Applied.Get(chat.EffectSource{Shard: source, Epoch: 1})
		first := applied + rapid.SampledFrom([]uint64{0, 1, 1, 1, 2}).Draw(d.T, "first")
		open := chat.Effect{To: chat.Addressee{User: user}, Body: chat.ConversationOpened{Conversation: c}}
		return to, chat.Deliver{Source: chat.EffectSource{Shard: source, Epoch: 1}, First: first, Effects: []chat.Effect{open, open}}
	case 3:
		to := uint16(rapid.IntRange(1, shards).Draw(d.T, "destination"))
		return storage.ShardID(rapid.IntRange(1, shards).Draw(d.T, "source")), chat.Delivered{Destination: to, Through: rapid.Uint64Range(0, 6).Draw(d.T, "through")}
	case 4, 5:
		if len(d.sent) > 0 {
			s := rapid.SampledFrom(d.sent).Draw(d.T, "retry")
			return at(s.Conversation), &s
		}
	}
	s := chat.Send{
		Conversation: c, Sender: rapid.SampledFrom(users).Draw(d.T, "sender"), IssuedAt: d.now + rapid.Int64Range(-2, 1).Draw(d.T, "issued"),
		ClientMessageID: chat.ClientMessageID{byte(len(d.sent)), byte(len(d.sent) >> 8)},
		Type:            chat.TypeText,
		Content:         rapid.SliceOfN(rapid.Byte(), 1, 3).Draw(d.T, "content"),
		Window:          chat.DedupeWindow{Age: 20 * time.Millisecond, Messages: 40},
	}
	d.sent = append(d.sent, s)
	return at(c), &s
}

func drawPair(t *rapid.T) chat.ConversationKey {
	return chat.PeerConversation(1, "a", rapid.SampledFrom(users[1:]).Draw(t, "peer"))
}

// compare reads everything from both.
func (d *duo) compare() {
	for shard := storage.ShardID(1); shard <= shards; shard++ {
		p, err := d.pebble.View(shard)
		if err != nil {
			d.Fatal(err)
		}
		m, _ := d.memory.View(shard)
		for _, id := range users {
			u := chat.UserKey{App: 1, ID: id}
			d.same(shard, "user "+id, rows(p.User(u)), rows(m.User(u)))
			d.same(shard, "memberships of "+id, d.memberships(p, u), d.memberships(m, u))
		}
		for _, peer := range users[1:] {
			c := chat.PeerConversation(1, "a", peer)
			d.same(shard, "head with "+peer, rows(p.Head(c)), rows(m.Head(c)))
			after, limit := rapid.Uint64Range(0, 80).Draw(d.T, "after"), rapid.IntRange(0, 40).Draw(d.T, "limit")
			before := after + rapid.Uint64Range(0, 50).Draw(d.T, "span")
			for _, newest := range []bool{false, true} {
				pe, errP := p.Entries(c, after, before, limit, newest)
				me, errM := m.Entries(c, after, before, limit, newest)
				d.same(shard, fmt.Sprintf("entries with %s after %d before %d, %d, %v", peer, after, before, limit, newest), rows(pe, len(pe) > 0, errP), rows(me, len(me) > 0, errM))
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
		pf, pe, errP := p.Effects(to, 5)
		mf, me, errM := m.Effects(to, 5)
		d.same(shard, "effects", rows(pe, pf > 0, errP), rows(me, mf > 0, errM))
		d.same(shard, "first effect", pf, mf)
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

func TestBothStoresAnswerTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &duo{T: t, disk: vfs.NewMem(), memory: memory.New(shards, "n1"), now: 1_700_000_000_000, frozen: map[storage.ShardID][2][][]byte{}}
		d.open()
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			d.batch()
			if rapid.IntRange(0, 4).Draw(t, "reopen") == 0 {
				d.reopen()
			}
			d.replace()
			d.compare()
		}
		if err := d.pebble.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
