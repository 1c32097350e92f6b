package directory_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// talking is two nodes: n1 leads a shard of conversations, in which something is
// said, n2 that of ann's session.
func talking(t *testing.T) (n *nodes, n1, n2 *member, key chat.ConversationKey) {
	n = newNodes(t, "n1", "n2")
	n1, n2 = n.all["n1"], n.all["n2"]
	n2.lead(3)
	n1.heard("n2")
	shard := 1 + n1.dir.Shard(ann)%8
	n1.set(func(m *member) { m.term, m.only = 9, shard })
	n1.dir.Gained(shard, 9)
	next(t, n2.moved, "the move of a shard", func(s storage.ShardID) bool { return s == shard })
	a := n1.asker("a")
	a.ask(1) // there is a session
	a.answer(1)
	key = chat.PeerConversation(ann.App, ann.ID, "bob")
	n1.dir.Applied(shard, []chat.Event{chat.Appended{Conversation: key}})
	n1.dir.Applied(shard, []chat.Event{chat.Appended{Conversation: chat.PeerConversation(ann.App, "carol", "dave")}})
	return n, n1, n2, key
}

// pushedAgain waits for that of one conversation: no other is.
func (m *member) pushedAgain(t *testing.T, what string, key chat.ConversationKey) {
	t.Helper()
	next(t, m.live, what, func(f string) bool {
		if f != "again "+key.ID && f != "asked" && f != "arrives" {
			t.Fatalf("%s: %q is pushed", what, f)
		}
		return f == "again "+key.ID
	})
}

func TestAPushThatIsLostIsRepeatedAlthoughNoneFollows(t *testing.T) {
	_, n1, n2, key := talking(t)
	n1.set(func(m *member) { m.lossy = true })
	n1.dir.SendLive(ann, &actorpb.Deliver{Frame: []byte("lost")})
	n1.set(func(m *member) { m.lossy = false })
	n2.pushedAgain(t, "a push that was lost", key)
	n1.dir.SendLive(ann, &actorpb.Deliver{Frame: []byte("arrives")})
	next(t, n2.live, "a push", func(f string) bool { return f == "arrives" })
}

func TestPushesAreRepeatedAfterAConnectionWasBroken(t *testing.T) {
	_, n1, n2, key := talking(t)
	n1.dir.Down("n2")
	n1.dir.Up("n2")
	n2.pushedAgain(t, "a connection that was broken", key)
}

func TestANewLeaderRepeatsWhatTheOldOneMayNotHavePushed(t *testing.T) {
	_, n1, n2, key := talking(t)
	n1.set(func(m *member) { m.term = 11 })
	n1.dir.Gained(1+n1.dir.Shard(ann)%8, 11)
	n2.pushedAgain(t, "a new leadership", key)
}

func TestWhoHasAttachedAgainGetsWhatTheyMissed(t *testing.T) {
	_, n1, n2, key := talking(t)
	n2.dir.PushAgain(ann.User(), time.Second)
	n2.pushedAgain(t, "a device that is back", key)
	n1.dir.PushAgain(directory.SessionOf(chat.UserKey{App: ann.App, ID: "nobody"}).User(), time.Second)
	n1.dir.SendLive(ann, &actorpb.Deliver{Frame: []byte("arrives")})
	next(t, n2.live, "a push", func(f string) bool { return f == "arrives" })
}

func TestSessionsLookWhereNobodyKnowsWhatWasSaid(t *testing.T) {
	_, n1, n2, _ := talking(t)
	shard := 1 + n1.dir.Shard(ann)%8
	n1.dir.Installed(shard)
	n2.dir.PushAgain(ann.User(), time.Second)
	next(t, n2.told, "a shard of which too little is known", func(m any) bool {
		r, ok := m.(directory.Recheck)
		return ok && len(r.Shards) == 1 && r.Shards[shard] && r.Since > 30*time.Second && r.Since < time.Minute
	})
}

func TestSessionsAreToldOfANodesEnd(t *testing.T) {
	_, _, n2, _ := talking(t)
	n2.dir.Down("n1")
	n2.dir.NodeGone("n1")
	next(t, n2.told, "a node's end", func(m any) bool {
		g, ok := m.(directory.Gone)
		return ok && g.Node == "n1"
	})
}

func TestAPushToANodeThatNoLongerLeadsIsRepeated(t *testing.T) {
	n := newNodes(t, "n1", "n2", "n3")
	n1, n2, n3 := n.all["n1"], n.all["n2"], n.all["n3"]
	n3.lead(2)
	a := n1.asker("a")
	a.ask(1)
	a.answer(1)
	shard := 1 + n1.dir.Shard(ann)%8
	first := chat.PeerConversation(ann.App, ann.ID, "carol")
	n1.dir.Applied(shard, []chat.Event{chat.Appended{Conversation: first}})
	n1.set(func(m *member) { m.term, m.only = 9, shard })
	n1.dir.Gained(shard, 9)
	n3.pushedAgain(t, "a new leadership", first) // and not once more for that reason
	n1.set(func(m *member) { m.deaf = true })
	n3.resign()
	n2.lead(3)
	b := n2.asker("b")
	b.ask(1)
	b.answer(1)
	n1.set(func(m *member) { m.deaf = false })
	key := chat.PeerConversation(ann.App, ann.ID, "bob")
	n1.dir.Applied(shard, []chat.Event{chat.Appended{Conversation: key}})
	n1.dir.SendLive(ann, &actorpb.Deliver{Frame: []byte("lost")})
	n2.lead(3) // says so once more
	next(t, n2.live, "a push to another node than its own", func(f string) bool { return f == "again "+key.ID })
}
