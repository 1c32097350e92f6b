package sim

import (
	"encoding/binary"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// client makes one call after the other. It repeats a send under the same
// client message id until that is acknowledged, on whatever node.
type client struct {
	run  *run
	id   int
	op   *op // under way
	sent uint64
}

type opKind uint8

const (
	opSend opKind = iota
	opRead
	opProfile
	opMark
	opRecall
)

// op is one call of the history. Stamps order calls and answers.
type op struct {
	number       int
	kind         opKind
	client       *client
	shard        *shardState
	conversation int
	commands     []chat.CommandBody
	ids          []chat.ClientMessageID // of the commands, for sends

	called, answered uint64 // stamps; answered 0: not yet
	attempts         int
	unknown          bool // an attempt may have happened
	refused          bool // it has definitely not happened, and never will

	seqs []uint64 // of ids, once acknowledged
	seq  uint64   // read: the head's
	hash [32]byte // read: the head's
	mark uint64   // of a mark or a recall: the seq
	name string   // of a change of a profile
}

// next begins the client's next call.
func (c *client) next() {
	r := c.run
	if r.healed {
		c.op = nil
		return
	}
	c.begin(r.shards[1+r.rng.IntN(r.plan.shards)], r.rng.IntN(20))
}

// begin makes a call; x says what it is.
func (c *client) begin(s *shardState, x int) {
	r := c.run
	o := &op{number: len(r.ops) + 1, client: c, shard: s, conversation: r.rng.IntN(len(s.conversations))}
	switch {
	case x < 12:
		o.makeSends()
	case x < 17:
		o.kind = opRead
	case x < 18 && o.makeRecall():
	case x < 18:
		o.makeProfile()
	default:
		o.kind, o.mark = opMark, 1+uint64(r.rng.IntN(5))
		o.commands = []chat.CommandBody{chat.MarkRead{User: o.user(), Conversation: o.key(), Mark: chat.Mark{Seq: o.mark}}}
	}
	r.ops = append(r.ops, o)
	c.op = o
	r.stamp++
	o.called = r.stamp
	o.attempt()
}

func (o *op) key() chat.ConversationKey { return o.shard.conversations[o.conversation] }

// user is one of the conversation's peers.
func (o *op) user() chat.UserKey {
	first, second, _ := o.key().Peers()
	if o.number%2 == 0 {
		first = second
	}
	return chat.UserKey{App: 1, ID: first}
}

// makeRecall recalls a message that was acknowledged; false when there is none.
func (o *op) makeRecall() bool {
	r := o.client.run
	for range 5 {
		if len(r.ops) == 0 || r.chance(0.3) {
			break
		}
		if of := r.ops[r.rng.IntN(len(r.ops))]; len(of.seqs) > 0 {
			o.kind, o.shard, o.conversation, o.mark = opRecall, of.shard, of.conversation, of.seqs[0]
			o.commands = []chat.CommandBody{chat.Recall{Conversation: of.key(), Sender: of.user().ID, Seq: o.mark}}
			return true
		}
	}
	return false
}

// makeSends makes one or a few sends, sometimes one of them twice.
func (o *op) makeSends() {
	r, c := o.client.run, o.client
	n := 1
	if r.chance(0.2) {
		n += r.rng.IntN(3)
	}
	for range n {
		c.sent++
		s := &chat.Send{
			Conversation: o.key(), Sender: o.user().ID, IssuedAt: epoch + r.now.Milliseconds(), Window: chat.DefaultLimits().Dedupe,
			Type: chat.TypeText, Content: make([]byte, 1+r.rng.IntN(60)),
		}
		binary.BigEndian.PutUint64(s.ClientMessageID[:], uint64(c.id+1))
		binary.BigEndian.PutUint64(s.ClientMessageID[8:], c.sent)
		o.commands, o.ids = append(o.commands, s), append(o.ids, s.ClientMessageID)
		if r.chance(0.05) {
			o.commands, o.ids = append(o.commands, s), append(o.ids, s.ClientMessageID)
		}
	}
}

// attempt calls a node. What comes after the time-out is not heard, but noted.
func (o *op) attempt() {
	r := o.client.run
	o.attempts++
	attempt := o.attempts
	settled := false
	settle := func() bool {
		first := !settled
		settled = true
		return first && o.client.op == o && o.answered == 0
	}
	r.after(r.between(200*time.Millisecond, 1500*time.Millisecond), func() {
		if settle() {
			o.unknown = true
			o.again()
		}
	})
	n := o.pick()
	r.after(r.between(0, 3*time.Millisecond), func() { o.call(n, attempt, settle) })
}

// pick is the node that most likely leads, or sometimes any.
func (o *op) pick() *node {
	r := o.client.run
	n := r.leader(o.shard.id)
	if n == nil || r.chance(0.1) {
		return r.nodes[r.rng.IntN(len(r.nodes))]
	}
	return n
}

// leader is the node that leads a shard in the highest term by its own account.
func (r *run) leader(s storage.ShardID) *node {
	var best *node
	for _, n := range r.nodes {
		if n.up && n.leading[s] != 0 && (best == nil || n.leading[s] > best.leading[s]) {
			best = n
		}
	}
	return best
}

// call is an attempt that has reached its node.
func (o *op) call(n *node, attempt int, settle func() bool) {
	r := o.client.run
	if !n.up {
		if r.chance(0.5) { // connection refused
			o.settled(errUnreachable, settle)
		}
		return
	}
	r.trace.add(evCall, n.number, uint64(o.number), uint64(o.shard.id), uint64(n.leading[o.shard.id]), uint64(attempt))
	if o.kind == opRead {
		n.read(o.shard.id, func(v storage.View) { o.look(n, v, settle) }, func(err error) { o.settled(err, settle) })
		return
	}
	term := n.leading[o.shard.id]
	n.propose(o.shard.id, o.commands, func(out storage.Outcome, err error) {
		if err == nil {
			o.applied(n, term, out)
		}
		if err == nil && !r.healed && r.chance(r.plan.lostReplies) {
			return
		}
		if err == nil {
			err = firstRefusal(out)
		}
		r.trace.add(evAnswer, n.number, uint64(o.number), uint64(o.shard.id), uint64(chat.CodeOf(err)), lastSeq(out))
		o.settled(err, settle)
	})
}

var errUnreachable = chat.Errorf(chat.CodeUnavailable, "call", "there is no such process")

func firstRefusal(out storage.Outcome) error {
	for _, r := range out.Results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func lastSeq(out storage.Outcome) uint64 {
	if n := len(out.Results); n > 0 {
		return out.Results[n-1].Sent.Seq
	}
	return 0
}

// settled takes an attempt's answer to the client.
func (o *op) settled(err error, settle func() bool) {
	if !settle() {
		return
	}
	r := o.client.run
	switch code := chat.CodeOf(err); {
	case err == nil:
		r.stamp++
		o.answered = r.stamp
		r.stats.Acked++
		r.accepted(o)
		r.after(r.around(r.plan.think), o.client.next)
		return
	case code == chat.CodeTimeout:
		o.unknown = true
	case code != chat.CodeUnavailable && code != chat.CodeBusy:
		r.violate("op %d on shard %d is refused: %v", o.number, o.shard.id, err)
	case !o.unknown && !r.healed && r.chance(0.1): // gives up
		o.refused = true
		r.after(r.around(r.plan.think), o.client.next)
		return
	}
	o.again()
}

// again tries once more after a while.
func (o *op) again() {
	r := o.client.run
	r.after(r.between(time.Millisecond, 100*time.Millisecond), func() {
		if o.kind == opRead { // a read may begin later
			r.stamp++
			o.called = r.stamp
		}
		o.attempt()
	})
}
