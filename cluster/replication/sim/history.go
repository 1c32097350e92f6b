package sim

import (
	"cmp"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/parley-im/parley/chat"
)

// checkHistory checks what clients of a conversation were told against its
// final log.
func (r *run) checkHistory(s *shardState, conversation int, log []chat.Entry) {
	where := make(map[chat.ClientMessageID]uint64, len(log))
	hashes := make([][32]byte, len(log)+1)
	for i := range log {
		where[log[i].ClientMessageID] = log[i].Seq
		hashes[i+1] = chat.VerifyChain(hashes[i], s.conversations[conversation], log[i:i+1])
	}
	var seen []observed
	recalled := make(map[uint64]bool)
	for _, o := range r.ops {
		if o.shard != s || o.conversation != conversation {
			continue
		}
		switch o.kind {
		case opSend:
			r.checkSend(o, where)
			for _, seq := range slices.Compact(slices.Clone(o.seqs)) {
				seen = append(seen, observed{called: o.called, answered: o.answered, seq: seq, write: true})
			}
		case opRecall:
			recalled[o.mark] = true
			if o.mark > uint64(len(log)) { // which its send says
				continue
			}
			if e := log[o.mark-1]; o.answered != 0 && (e.Kind != chat.EntryErased || e.Content != nil) {
				r.violate("op %d on shard %d: seq %d was recalled, the final log has %+v", o.number, s.id, o.mark, e)
			}
		case opRead:
			if o.answered == 0 {
				continue
			}
			if o.seq > uint64(len(log)) || o.hash != hashes[o.seq] {
				r.violate("op %d on shard %d read a head of seq %d that is not of the final log", o.number, s.id, o.seq)
			}
			seen = append(seen, observed{called: o.called, answered: o.answered, seq: o.seq})
		}
	}
	for _, e := range log {
		if e.Kind == chat.EntryErased && !recalled[e.Seq] {
			r.violate("shard %d conversation %d: nobody recalled seq %d, which is erased", s.id, conversation, e.Seq)
		}
	}
	r.checkOrder(s, conversation, seen)
	if r.rng.IntN(20) == 0 {
		r.checkPorcupine(s, conversation, seen)
	}
}

// checkSend checks that what was acknowledged is where it was said to be, and
// what was refused is nowhere.
func (r *run) checkSend(o *op, where map[chat.ClientMessageID]uint64) {
	for i, id := range o.ids {
		seq, there := where[id]
		switch {
		case o.seqs != nil && seq != o.seqs[i]:
			r.violate("op %d on shard %d: message %x was acknowledged at seq %d, the final log has it at %d", o.number, o.shard.id, id, o.seqs[i], seq)
		case o.refused && there:
			r.violate("op %d on shard %d: message %x was refused, the final log has it at %d", o.number, o.shard.id, id, seq)
		}
	}
}

// observed is a call of the history: a write that took a seq, or a read of the
// head.
type observed struct {
	called, answered uint64 // answered 0: never heard
	seq              uint64
	write            bool
}

// checkOrder checks that the calls of a conversation are linearizable. Writes
// have seqs of their own and reads the one of the write before them, so that
// there is one order to check: no call may have been answered before one that
// stands before it was made.
func (r *run) checkOrder(s *shardState, conversation int, seen []observed) {
	slices.SortFunc(seen, func(a, b observed) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), -cmp.Compare(bit(a.write), bit(b.write)))
	})
	earliest := ^uint64(0)
	var by observed
	for i := len(seen) - 1; i >= 0; {
		from := i
		for from > 0 && seen[from-1].seq == seen[i].seq && seen[from-1].write == seen[i].write {
			from-- // reads of one head stand in any order
		}
		group := seen[from : i+1]
		for _, o := range group {
			if o.called > earliest {
				r.violate("shard %d conversation %d is not linearizable: seq %d (write %v, called %d) stands before seq %d (write %v), which was answered at %d",
					s.id, conversation, o.seq, o.write, o.called, by.seq, by.write, earliest)
			}
		}
		for _, o := range group {
			if o.answered != 0 && o.answered < earliest {
				earliest, by = o.answered, o
			}
		}
		i = from - 1
	}
}

// checkPorcupine has an independent checker look at the same: the model is a
// counter.
func (r *run) checkPorcupine(s *shardState, conversation int, seen []observed) {
	model := porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(state, input, _ any) (bool, any) {
			head, o := state.(uint64), input.(observed)
			if o.write {
				return o.seq == head+1, o.seq
			}
			return o.seq == head, head
		},
	}
	var history []porcupine.Operation
	for i, o := range seen {
		if o.answered == 0 {
			o.answered = r.stamp + 1
		}
		history = append(history, porcupine.Operation{ClientId: i, Input: o, Call: int64(o.called), Return: int64(o.answered)})
	}
	if !porcupine.CheckOperations(model, history) {
		r.violate("shard %d conversation %d: porcupine finds no order", s.id, conversation)
	}
}
