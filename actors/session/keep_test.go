package session_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Propose applies logins and marks of ann's.
func (l *library) Propose(_ storage.ShardID, _ storage.Term, commands []chat.CommandBody, done func(storage.Outcome, error)) {
	if l.boom.Swap(false) {
		panic("a bug")
	}
	var r chat.Result
	switch b := commands[0].(type) {
	case chat.Login:
		r.User = chat.User{Devices: []chat.Device{{ID: b.DeviceID}}}
	case chat.MarkRead:
		l.set(func() {
			peer, _ := b.Conversation.Other(ann.ID)
			if b.Mark.Seq > l.marks[peer].Seq {
				l.marks[peer] = b.Mark
			}
			r.Mark = l.marks[peer]
		})
	}
	done(storage.Outcome{Results: []chat.Result{r}}, nil)
}

// say appends a message to ann's conversation with a peer, which opens with it if
// it is new, and pushes it or not.
func (l *library) say(peer string, own, pushed bool) {
	var head chat.Head
	var opened bool
	l.set(func() {
		head = l.heads[peer]
		first, _, _ := with(peer).Peers()
		head.Seq++
		head.Counted++
		l.now++
		head.Time = l.now
		head.OrderKey = uint64(head.Time) * 1000
		if own == (first == ann.ID) {
			head.Own[0]++
		} else {
			head.Own[1]++
		}
		if opened = head.Seq == 1; opened {
			l.order = append(l.order, peer)
		}
		l.heads[peer] = head
	})
	if pushed {
		k := with(peer)
		l.dir.SendLive(directory.SessionOf(ann), &actorpb.Deliver{Head: &actorpb.PushedHead{
			Kind: uint32(k.Kind), Id: k.ID, Seq: head.Seq, TimeMs: head.Time, OrderKey: head.OrderKey,
			Counted: head.Counted, OwnFirst: head.Own[0], OwnSecond: head.Own[1],
		}})
	}
	if opened {
		l.dir.Opened(ann, with(peer))
	}
}

func (l *library) newest(peer string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heads[peer].Seq
}

// seq waits for a push and gives its number in the conversation with a peer.
func (d device) seq(t *testing.T, peer string) uint64 {
	t.Helper()
	m, ok := d.next(t).(*actorpb.Deliver)
	var f wirepb.ServerFrame
	if !ok || f.UnmarshalVT(m.Frame) != nil || f.GetMessage().GetSenderId() != peer {
		return 0
	}
	return f.GetMessage().GetSeq()
}

type shown struct {
	peer   string
	unread uint64
}

// model is what the list must show.
func (l *library) model() (all []shown, total uint64) {
	l.set(func() {
		slices.SortFunc(l.order, func(a, b string) int {
			return cmp.Or(cmp.Compare(l.heads[b].OrderKey, l.heads[a].OrderKey), cmp.Compare(a, b))
		})
		for _, peer := range l.order {
			head := l.heads[peer]
			unread := head.Unread(with(peer), ann.ID, l.marks[peer])
			all, total = append(all, shown{peer, unread}), total+unread
		}
	})
	return all, total
}

// pages reads the whole list.
func (l *library) pages(t *testing.T, pid *actor.PID, d device, count int) (all []shown, total uint64) {
	ask := &wirepb.ListConversations{Count: uint32(count)}
	for {
		l.ask(pid, listing(1, ask))
		p := d.page(t)
		for _, v := range p.Conversations {
			all = append(all, shown{v.Ref.Id, v.Unread})
		}
		if p.Complete {
			return all, p.GetTotalUnread()
		}
		last := p.Conversations[len(p.Conversations)-1]
		ask.BeforeOrderKey, ask.Before = last.OrderKey, last.Ref
	}
}

// TestTheListIsRightWhateverHappens runs a session against a plain model: messages,
// openings, marks, pushes that are lost and looked for, sessions that move.
func TestTheListIsRightWhateverHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := newLibrary(t, rapid.IntRange(0, 40).Draw(r, "conversations"), []byte("x"))
		defer l.close()
		pid, d := l.connection("d")
		phone := make(device, 10_000)
		phonePID, _ := l.sys.ProcessRegistry.Add(phone, "phone")
		attach := func() {
			l.ask(phonePID, &actorpb.Attach{Request: 1, UserId: ann.ID, DeviceId: "phone"})
			for {
				if _, ok := phone.next(t).(*actorpb.Attached); ok {
					return
				}
			}
		}
		attach()
		peer := rapid.Custom(func(r *rapid.T) string {
			return fmt.Sprint(rapid.SampledFrom([]string{"p", "a"}).Draw(r, "side"), rapid.IntRange(0, 60).Draw(r, "peer"))
		})
		r.Repeat(map[string]func(*rapid.T){
			"say": func(r *rapid.T) { l.say(peer.Draw(r, "to"), rapid.Bool().Draw(r, "own"), true) },
			"lose": func(r *rapid.T) {
				to := peer.Draw(r, "to")
				l.say(to, rapid.Bool().Draw(r, "own"), false)
				l.ask(nil, directory.Recheck{Since: time.Hour})
				for l.newest(to) != phone.seq(t, to) { // it is pushed again once it is found
				}
			},
			"mark": func(r *rapid.T) {
				ref := &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer.Draw(r, "with")}
				l.ask(pid, asking(7, "ClearUnread", &wirepb.ClearUnread{Conversation: ref}))
				d.answer(t, 7)
			},
			"move": func(r *rapid.T) {
				l.dir.Lost(l.dir.Shard(directory.SessionOf(ann)))
				attach()
			},
			"list": func(r *rapid.T) {
				count := rapid.IntRange(1, 30).Draw(r, "count")
				want, wantTotal := l.model()
				got, total := l.pages(t, pid, d, count)
				if !slices.Equal(got, want) || total != wantTotal {
					r.Fatalf("the list is %v with %d unread, want %v with %d", got, total, want, wantTotal)
				}
			},
		})
	})
}

// TestAChangeReadsNoOtherConversation: with the table there, a page after a change
// reads what it shows.
func TestAChangeReadsNoOtherConversation(t *testing.T) {
	l := newLibrary(t, 5000, []byte("x"))
	pid, d := l.connection("d")
	l.ask(pid, list(1, 1))
	d.page(t)
	<-l.sets
	var before int
	l.set(func() { before = l.asked })
	for _, peer := range []string{"p7", "p4000", "new"} {
		l.say(peer, false, true)
		l.ask(pid, list(2, 1))
		p := d.page(t)
		if len(p.Conversations) != 1 || p.Conversations[0].Ref.Id != peer {
			t.Errorf("after a message of %s the list begins with %v", peer, p.Conversations)
		}
	}
	l.set(func() {
		if looks := l.asked - before; looks > 6 || len(l.sets) > 0 {
			t.Errorf("%d looks and %d readings of the set for three pages of one conversation", looks, len(l.sets))
		}
	})
}

// TestHeadsThatAreNotTakenAreBounded has more conversations change than the
// directory keeps heads of.
func TestHeadsThatAreNotTakenAreBounded(t *testing.T) {
	l := newLibrary(t, 6000, []byte("x"))
	pid, d := l.connection("d")
	l.pages(t, pid, d, 500)
	for i := range 6000 {
		l.say(fmt.Sprint("p", i), i%3 == 0, true)
	}
	want, wantTotal := l.model()
	if got, total := l.pages(t, pid, d, 500); !slices.Equal(got, want) || total != wantTotal {
		t.Errorf("%d are listed with %d unread, want %d with %d, in order", len(got), total, len(want), wantTotal)
	}
}
