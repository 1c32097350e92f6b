package chat

import "time"

// Recall erases what a message of the sender's says, once and for all: the entry
// stays in its place, with the hash by which the chain still verifies. To recall it
// again changes nothing.
type Recall struct {
	Conversation ConversationKey
	Sender       string
	Seq          uint64
	// Window is how old the message may be; 0: any age.
	Window time.Duration
}

var recallRule = on(applyRecall)

func (Recall) rule() *rule { return &recallRule }

func applyRecall(s *State, now int64, b Recall) (Result, []Event) {
	key := EntryKey{b.Conversation, b.Seq}
	e, ok := s.Entries.Get(key)
	if !ok || e.Sender != b.Sender || e.Kind != EntryMessage && e.Kind != EntryErased {
		return Result{Err: Errorf(CodeNoSuchMessage, "recall", "the user has sent no message %d here", b.Seq)}, nil
	}
	if e.Kind == EntryErased {
		return Result{Rev: e.Rev}, nil
	}
	head, _ := s.Heads.Get(b.Conversation)
	if age := max(now, head.Time) - e.Time; b.Window > 0 && age > b.Window.Milliseconds() {
		return Result{Err: Errorf(CodeTooLate, "recall", "the message is older than %v, after which none is recalled", b.Window)}, nil
	}
	head.Rev++
	e.Inner = e.inner()
	e.Kind, e.Rev, e.Salt, e.Content = EntryErased, head.Rev, [16]byte{}, nil
	s.Entries.Put(key, e)
	s.Changes.Put(ChangeKey{b.Conversation, head.Rev}, Change{Seq: b.Seq, What: ChangeErased})
	s.Heads.Put(b.Conversation, head)
	forget(s, b.Conversation, &head, &e)
	return Result{Rev: e.Rev}, []Event{Changed{Conversation: b.Conversation, Entry: e}}
}

// forget takes the content's hash from the dedupe row, which would confirm a guess
// of what was said. A retry still finds its message there.
func forget(s *State, c ConversationKey, head *Head, e *Entry) {
	if e.IssuedAt < head.DedupeFloor {
		return
	}
	key := DedupeKey{Conversation: c, IssuedAt: e.IssuedAt, Sender: e.Sender, ID: e.ClientMessageID}
	if row, ok := s.Dedupes.Get(key); ok {
		s.Dedupes.Put(key, Dedupe{Seq: row.Seq})
	}
}
