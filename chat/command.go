package chat

// Command is one entry of a shard's log.
type Command struct {
	Version uint32
	Time    int64 // ms, the leader's clock when it proposed
	Body    CommandBody
}

// CommandBody is one of Login, *Send, Recall, MarkRead, Deliver and Delivered. Send, which
// is large and on the hot path, is the only one by pointer.
type CommandBody interface{ rule() *rule }

// Result is what the proposer learns. Err is a refusal that every replica
// agrees on; the other fields are set by the command that gives them.
type Result struct {
	Err        *Error
	Sent       Sent        // Send
	User       User        // Login
	Mark       Mark        // MarkRead: the mark as it stands now
	Rev        uint64      // Recall: the change's number
	Membership *Membership // UpdateConversation
	Effects    []EffectRef // Send: what must reach other shards
}

// Sent is where a message stands.
type Sent struct {
	MessageID string
	Seq       uint64
	OrderKey  uint64
	Time      int64 // ms
	Duplicate bool  // accepted before; the numbers are those of the first time
}

// Event is something that happened and that others may want to hear of:
// Appended or Changed.
type Event interface{ event() }

// Appended says that an entry stands in a conversation.
type Appended struct {
	Conversation ConversationKey
	Entry        Entry
}

func (Appended) event() {}

// Changed says that an entry, which stood there before, is another one now.
type Changed struct {
	Conversation ConversationKey
	Entry        Entry
}

func (Changed) event() {}
