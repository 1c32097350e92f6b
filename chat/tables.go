package chat

// State is one shard's rows as Apply sees them, a table for each kind of row.
// Within a batch every read sees the writes before it. Tables cannot fail: an
// implementation that meets a broken disk remembers the error and refuses the
// commit, and Apply's results are dropped with it.
//
// Slices handed over belong to the receiver and are never changed.
type State struct {
	Users       Table[UserKey, User]
	Memberships Table[MembershipKey, Membership]
	Heads       Table[ConversationKey, Head]
	Entries     Table[EntryKey, Entry]
	Changes     Table[ChangeKey, Change]
	Dedupes     Dedupes
	// Applied holds the number of the last effect applied from a source.
	Applied Table[EffectSource, uint64]
	Outbox  Outbox
}

// Table is the rows of one kind.
type Table[K comparable, V any] interface {
	// Get gives the zero row and false when there is none.
	Get(K) (V, bool)
	Put(K, V)
	// Delete of a row that does not exist does nothing.
	Delete(K)
}

// Dedupes are the sends that a retry may repeat.
type Dedupes interface {
	Get(DedupeKey) (Dedupe, bool)
	Put(DedupeKey, Dedupe)
	// DropBelow deletes the conversation's rows that were issued before floor;
	// the call before, if there was one, had deleted those before last. Apply asks
	// for none of them again, so that reads within the batch may still show them.
	DropBelow(c ConversationKey, last, floor int64)
}

// Outbox holds the effects that other shards have not applied yet.
type Outbox interface {
	// Queue appends an effect for the shard of its addressee and tells where it
	// stands.
	Queue(Effect) EffectRef
	// Drop deletes those for a shard up to and including through.
	Drop(destination uint16, through uint64)
}

// MembershipKey names a user's row for a conversation.
type MembershipKey struct {
	User         UserKey
	Conversation ConversationKey
}

// EntryKey names a line of a conversation's log.
type EntryKey struct {
	Conversation ConversationKey
	Seq          uint64
}

// ChangeKey names a change of a conversation's entries: they count 1, 2, 3 ... up to
// Head.Rev.
type ChangeKey struct {
	Conversation ConversationKey
	Rev          uint64
}

// DedupeKey names one send of one sender in a conversation.
type DedupeKey struct {
	Conversation ConversationKey
	IssuedAt     int64 // ms
	Sender       string
	ID           ClientMessageID
}

// EffectSource is another shard's outbox, as numbered in a restore epoch of it.
type EffectSource struct {
	Shard uint16
	Epoch uint64
}
