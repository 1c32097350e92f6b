package chat

// Version is the newest version of Apply's behaviour. Commands carry the
// version they are to be applied by, so that nodes of different releases
// cannot diverge; an older Apply stays reachable as long as logs hold it.
const Version = 1

// Command is one entry of a shard's log.
type Command struct {
	Version uint32
	Time    int64 // ms, the leader's clock when it proposed
	Body    CommandBody
}

// CommandBody is one of Login, Send, MarkRead, Deliver and Delivered.
type CommandBody interface{ command() }

// Login registers a user or updates their profile, and makes a device the
// newest. An empty name or avatar URL keeps the stored one; an empty DeviceID
// only registers.
type Login struct {
	User      UserKey
	Name      string
	AvatarURL string
	DeviceID  string
}

// Send appends a message to a conversation, once per client message id.
type Send struct {
	Conversation    ConversationKey
	Sender          string
	ClientMessageID ClientMessageID
	IssuedAt        int64 // ms
	Message         Message
	Salt            [16]byte
	Window          DedupeWindow
}

// MarkRead moves a user's read mark forward; an older mark changes nothing.
type MarkRead struct {
	User         UserKey
	Conversation ConversationKey
	Mark         Mark
}

// Deliver brings effects from another shard's outbox; those applied before are
// skipped.
type Deliver struct {
	Source  uint16
	Epoch   uint64 // restore epoch of the source
	First   uint64 // outbox number of Effects[0]
	Effects []Effect
}

// Delivered deletes the outbox rows that their destination has applied.
type Delivered struct {
	Destination uint16
	Through     uint64
}

func (Login) command()     {}
func (Send) command()      {}
func (MarkRead) command()  {}
func (Deliver) command()   {}
func (Delivered) command() {}

// Effect is a consequence that belongs to a user's shard, carried there by the
// outbox. ConversationOpened is the only one today.
type Effect struct {
	ConversationOpened ConversationOpened
}

// ConversationOpened puts a conversation into a user's set.
type ConversationOpened struct {
	User         UserKey
	Conversation ConversationKey
}

// EffectRef is an effect's place in a shard's outbox; numbers per destination
// count 1, 2, 3 ...
type EffectRef struct {
	Destination uint16
	Number      uint64
}

// Result is what the proposer learns. Err is a refusal that every replica
// agrees on; the other fields are set by the command that gives them.
type Result struct {
	Err     *Error
	Sent    Sent        // Send
	User    User        // Login
	Mark    Mark        // MarkRead: the mark as it stands now
	Effects []EffectRef // Send: what must reach other shards
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
// Appended today.
type Event interface{ event() }

// Appended says that an entry stands in a conversation.
type Appended struct {
	Conversation ConversationKey
	Entry        Entry
}

func (Appended) event() {}
