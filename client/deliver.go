package client

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// How many events may wait for OnMessage. Beyond it pushes are dropped, since
// the history has them: memory stays bounded and nothing is lost.
const inboxSize = 1024

// keptSettled is how many own messages are still known as ours after their seq
// was passed: a fresh cursor may step back over them.
const keptSettled = 256

// The sizes of the pages that a repair asks for: how many messages, how many
// conversations.
const (
	historyPage = 100
	listPage    = 500
)

// A comparison of the list reads at most maxPasses times what changed while it
// was read, and takes times of different nodes to agree within clockMargin.
const (
	maxPasses   = 10
	clockMargin = 10 * time.Second
)

// deliverer turns pushes, acks and history into the promise of OnMessage: each
// message once, in order, no gap.
//
// The idea: per conversation it knows the last seq that is settled (delivered,
// or our own). A push with the next seq is delivered; a lower one is a copy; a
// higher one means a gap, and the history between is fetched and delivered
// first. Our own messages are not pushed to us: their acks settle their seq, at
// once or when the seqs before it are. Since the last push of a conversation
// may be lost without a later one to show it, the heads of all conversations are
// compared after every login, and whenever pushes were dropped here or there.
//
// The reader puts events in and never waits; one goroutine works on them, and
// it alone touches cursors.
type deliverer struct {
	c        *Client
	inbox    chan event
	overflow atomic.Bool // events were dropped since the last resync
	cursors  map[conversation]*cursor
	synced   bool // the first resync is done

	mu      sync.Mutex
	own     map[chat.ClientMessageID]bool // sends under way, acked, or settled of late
	settled []chat.ClientMessageID        // the last of them, oldest first, at most keptSettled
}

// event is one of: a pushed message, an own message acked as seq, a resync.
type event struct {
	message *wirepb.Message
	acked   *acked
	resync  bool
}

type acked struct {
	in  conversation
	seq uint64
	id  chat.ClientMessageID
}

// conversation is a wirepb.ConversationRef as a map key.
type conversation struct {
	kind wirepb.ConversationKind
	id   string
}

func (v conversation) ref() *wirepb.ConversationRef {
	return &wirepb.ConversationRef{Kind: v.kind, Id: v.id}
}

// cursor is the state of one conversation.
type cursor struct {
	last  uint64                          // every seq up to here is settled
	acked map[uint64]chat.ClientMessageID // own seqs above last
	// fresh until the first push: last was read from the list after the login, and
	// a push from between the two may lie below it.
	fresh bool
}

func newDeliverer(c *Client) *deliverer {
	return &deliverer{
		c: c, inbox: make(chan event, inboxSize),
		cursors: map[conversation]*cursor{}, own: map[chat.ClientMessageID]bool{},
	}
}

// put hands an event over, or notes that one was dropped.
func (d *deliverer) put(e event) {
	select {
	case d.inbox <- e:
		return
	default:
	}
	d.overflow.Store(true)
	select { // wakes a deliverer that has emptied the inbox meanwhile
	case d.inbox <- event{resync: true}:
	default:
	}
}

// acked takes the reply to a send. The connection's reader calls it, so that it
// stands before the pushes that follow.
func (d *deliverer) acked(request *wirepb.SendMessage, sent *wirepb.SendMessageReply) {
	if sent.GetSeq() == 0 {
		return
	}
	ref := request.GetConversation()
	d.put(event{acked: &acked{
		in: conversation{ref.GetKind(), ref.GetId()}, seq: sent.GetSeq(), id: chat.ClientMessageID(request.GetClientMessageId()),
	}})
}

// sending notes a send before it leaves, so that its message is known as ours
// wherever it turns up first.
func (d *deliverer) sending(id chat.ClientMessageID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.own[id] = true
}

// forget drops a send that failed. Should its message stand in the history
// after all, OnMessage gets it like one from another device.
func (d *deliverer) forget(id chat.ClientMessageID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.own, id)
}

// ours says whether the message is of this client.
func (d *deliverer) ours(id chat.ClientMessageID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.own[id]
}

// settle notes that an own message's seq was passed.
func (d *deliverer) settle(id chat.ClientMessageID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settled = append(d.settled, id)
	if len(d.settled) > keptSettled {
		delete(d.own, d.settled[0])
		d.settled = d.settled[1:]
	}
}

// run works until the client ends, or a repair is refused for good, which ends
// the client: going on would hide a gap.
func (d *deliverer) run() {
	err := d.resync()
	for err == nil {
		select {
		case <-d.c.ctx.Done():
			return
		case e := <-d.inbox:
			err = d.handle(e)
		}
		if err == nil && len(d.inbox) == 0 && d.overflow.Swap(false) {
			err = d.resync()
		}
	}
	if d.c.ctx.Err() == nil {
		d.c.end(err)
	}
}

func (d *deliverer) handle(e event) error {
	switch {
	case e.message != nil:
		return d.push(e.message)
	case e.acked != nil:
		d.ack(e.acked)
		return nil
	}
	return d.resync()
}

// push delivers a pushed message, after what is missing before it.
func (d *deliverer) push(m *wirepb.Message) error {
	if m.GetSeq() == 0 { // a command: not stored, no order
		d.c.o.OnMessage(messageFrom(m, d.c.o.UserID))
		return nil
	}
	in := conversation{m.GetKind(), conversationOf(m, d.c.o.UserID)}
	cur := d.cursor(in)
	if cur.fresh {
		cur.fresh = false
		cur.last = min(cur.last, m.GetSeq()-1)
	}
	if m.GetSeq() > cur.last+1 {
		if err := d.repair(in, cur, m.GetSeq()-1); err != nil {
			return err
		}
	}
	d.deliver(cur, m)
	return nil
}

// ack settles an own message.
func (d *deliverer) ack(a *acked) {
	cur := d.cursor(a.in)
	if a.seq <= cur.last {
		d.settle(a.id)
		return
	}
	if cur.acked == nil {
		cur.acked = map[uint64]chat.ClientMessageID{}
	}
	cur.acked[a.seq] = a.id
	d.advance(cur)
}

// advance settles the own messages that come next.
func (d *deliverer) advance(cur *cursor) {
	for {
		id, ok := cur.acked[cur.last+1]
		if !ok {
			return
		}
		cur.last++
		delete(cur.acked, cur.last)
		d.settle(id)
	}
}

// deliver gives the next message to the app, unless it is settled or ours.
func (d *deliverer) deliver(cur *cursor, m *wirepb.Message) {
	if m.GetSeq() <= cur.last {
		return
	}
	cur.last = m.GetSeq()
	delete(cur.acked, cur.last)
	if id := messageID(m); m.GetSenderId() == d.c.o.UserID && d.ours(id) {
		d.settle(id)
	} else {
		d.c.o.OnMessage(messageFrom(m, d.c.o.UserID))
	}
	d.advance(cur)
}

// repair delivers what the history holds after the cursor up to seq. A page
// says which range it covers; what it leaves out in there is not for this user.
func (d *deliverer) repair(in conversation, cur *cursor, upTo uint64) error {
	for cur.last < upTo {
		page, err := d.c.history(d.c.ctx, in.ref(), HistoryRequest{After: cur.last, Before: upTo + 1, Count: historyPage})
		if err != nil {
			return err
		}
		before := cur.last
		for _, m := range page.GetMessages() {
			d.deliver(cur, m)
		}
		covered := page.GetLastSeq()
		if covered == 0 && len(page.GetMessages()) == 0 { // nothing is left of the range
			covered = upTo
		}
		cur.last = max(cur.last, covered)
		if cur.last == before {
			return chat.Errorf(chat.CodeInternal, "receive", "the history after seq %d does not go on", before)
		}
		d.advance(cur)
	}
	return nil
}

// resync compares all conversations with the cursors. The first time it only
// notes where they are: what came before the login is not delivered.
//
// The list is latest first, so a conversation that gets a message while it is
// being paged through moves to where we have been. Hence what changed meanwhile
// is read again, until that fits one page, which nothing can slip past.
func (d *deliverer) resync() error {
	var since uint64
	for range maxPasses {
		began := uint64(d.c.ServerTime().Add(-clockMargin).UnixMilli())
		pages, err := d.pass(since)
		if err != nil {
			return err
		}
		if pages == 1 {
			break
		}
		since = began
	}
	d.synced = true
	return nil
}

// pass goes through the conversations whose last message is of since or later,
// and tells how many pages that took.
func (d *deliverer) pass(since uint64) (pages int, err error) {
	list := &wirepb.ListConversations{Count: listPage, ChangedSinceMs: since}
	for {
		page, err := d.c.list(d.c.ctx, list)
		if err != nil {
			return pages, err
		}
		pages++
		found := page.GetConversations()
		for _, v := range found {
			if err := d.catchUp(conversation{v.GetRef().GetKind(), v.GetRef().GetId()}, v.GetHeadSeq()); err != nil {
				return pages, err
			}
		}
		if page.GetComplete() || len(found) == 0 {
			return pages, nil
		}
		last := found[len(found)-1]
		list = &wirepb.ListConversations{
			Count: listPage, ChangedSinceMs: since, BeforeOrderKey: last.GetOrderKey(), Before: last.GetRef(),
		}
	}
}

func (d *deliverer) catchUp(in conversation, head uint64) error {
	if !d.synced { // pushes since the login wait in the inbox
		if _, known := d.cursors[in]; !known {
			d.cursors[in] = &cursor{last: head, fresh: true}
		}
		return nil
	}
	cur := d.cursor(in)
	if head > cur.last {
		cur.fresh = false
	}
	return d.repair(in, cur, head)
}

// cursor finds a conversation's state. One that is not known began after the
// login: all of it is to be delivered.
func (d *deliverer) cursor(in conversation) *cursor {
	cur, ok := d.cursors[in]
	if !ok {
		cur = &cursor{}
		d.cursors[in] = cur
	}
	return cur
}
