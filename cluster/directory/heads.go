package directory

import (
	"sync"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
)

// Head is what a list of conversations shows of a head.
type Head struct {
	Seq      uint64
	Time     int64
	OrderKey uint64
	Counted  uint64
	Own      [2]uint64
}

// Chat is the head as the domain knows it, with nothing but that.
func (h Head) Chat() chat.Head {
	return chat.Head{Seq: h.Seq, Time: h.Time, OrderKey: h.OrderKey, Counted: h.Counted, Own: h.Own}
}

// HeadOf takes that much of a head.
func HeadOf(h *chat.Head) Head {
	return Head{Seq: h.Seq, Time: h.Time, OrderKey: h.OrderKey, Counted: h.Counted, Own: h.Own}
}

// HeadsWait asks an actor that keeps heads to take them: many have gathered.
type HeadsWait struct{}

// maxHeads is of how many conversations heads gather before their actor is asked
// to take them. With four times as many it has to read them.
const maxHeads = 1024

// heads gathers, for an actor that keeps a list of conversations, what pushes say
// of their conversations: a push goes past the actor's mailbox, and costs it
// nothing until it takes the heads, the newest of each conversation.
type heads struct {
	mu    sync.Mutex
	of    map[chat.ConversationKey]Head
	lost  bool // some are missing
	asked bool // the actor has been asked to take them
}

// KeepHeads has the heads of what is pushed to the actor gathered from now on.
func (a Activation) KeepHeads() { a.activation.heads.Store(&heads{}) }

// DropHeads ends that.
func (a Activation) DropHeads() { a.activation.heads.Store(nil) }

// TakeHeads gives what has gathered; false says that some may be missing, and all
// have to be read.
func (a Activation) TakeHeads() (map[chat.ConversationKey]Head, bool) {
	h := a.activation.heads.Load()
	if h == nil {
		return nil, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	of, lost := h.of, h.lost
	h.of, h.lost, h.asked = nil, false, false
	return of, !lost
}

// note takes the head of a push in; it tells whether the actor should take them.
func (h *heads) note(app chat.AppID, m *actorpb.PushedHead) (full bool) {
	key := chat.ConversationKey{App: app, Kind: chat.Kind(m.Kind), ID: m.Id}
	h.mu.Lock()
	defer h.mu.Unlock()
	was, known := h.of[key]
	switch {
	case h.lost || m.Seq <= was.Seq:
		return false
	case !known && len(h.of) >= 4*maxHeads:
		h.of, h.lost = nil, true
		return false
	case h.of == nil:
		h.of = make(map[chat.ConversationKey]Head)
	}
	h.of[key] = Head{m.Seq, m.TimeMs, m.OrderKey, m.Counted, [2]uint64{m.OwnFirst, m.OwnSecond}}
	if len(h.of) < maxHeads || h.asked {
		return false
	}
	h.asked = true
	return true
}

func (h *heads) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of, h.lost = nil, true
}

// note has an activation that keeps heads know that of a push. The stripe is
// locked.
func (d *Directory) note(id Identity, a *activation, m *actorpb.Deliver) {
	h := a.heads.Load()
	if h == nil || m.Head == nil || !h.note(id.App, m.Head) {
		return
	}
	if d.post(a, HeadsWait{}, nil) != nil {
		h.lose()
	}
}
