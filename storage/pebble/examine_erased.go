package pebble

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
)

// kindProposal is the kind of the log's entries that hold a proposal: Raft's number
// of normal ones.
const kindProposal = 0

// log takes the log's next entry, and notes the sends in it: it comes before the
// conversations.
func (x *examiner) log(key, value []byte) {
	var r logpb.LogEntry
	if !x.decoded(key, value, &r) || r.Kind != kindProposal || len(r.Data) == 0 {
		return
	}
	var p logpb.Proposal
	if p.UnmarshalVT(r.Data) != nil { // what an entry says is the host's affair
		return
	}
	for _, p := range append(p.More, &p) {
		for _, c := range p.Commands {
			if s := c.GetSend(); s != nil && len(s.ClientMessageId) == 16 {
				x.logged[logged{s.Conversation.Chat(), s.Sender, chat.ClientMessageID(s.ClientMessageId), s.IssuedAtMs}] = true
			}
		}
	}
}

// erased looks that nothing is left of what an entry said.
func (x *examiner) erased(k chat.ConversationKey, e *chat.Entry) {
	x.x.Erased++
	if len(e.Content) > 0 || e.Salt != [16]byte{} {
		x.problem("%s still has what its erased entry %d said", nameOf(k), e.Seq)
	}
	if x.logged[logged{k, e.Sender, e.ClientMessageID, e.IssuedAt}] {
		x.x.Waiting++
	}
}

// change takes the next change of a conversation.
func (x *examiner) change(key, rest, value []byte) {
	var c logpb.EntryChange
	k, ok := chat.ConversationKey{}, len(rest) > 8
	if ok {
		k, ok = parseConversation(x.app, rest[:len(rest)-8])
	}
	r := x.revs[k]
	if !x.decoded(key, value, &c) || !ok || r == nil || logIndex(key) != r.have+1 {
		x.problem("a change has the key %x, where it should not be", key)
		return
	}
	r.have++
}
