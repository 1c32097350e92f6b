package chat

// User is a registered user's profile row.
type User struct {
	Name         string
	AvatarURL    string
	ExtendedData string // the app's own
	RegisteredAt int64  // ms
	// Devices are those that may be logged in, the newest login last.
	Devices []Device
}

// Device is a login of a user.
type Device struct {
	ID      string
	LoginAt int64 // ms
}

// Membership is a user's row for one conversation of theirs.
type Membership struct {
	Mark  Mark
	Since int64 // ms
	// What the user has set; Muted: do not disturb.
	Pinned, Muted bool
	Draft         string
}

// Mark is how far a user has read: the head's numbers at that point, with Own
// the user's own counted entries. Seq never runs back.
type Mark struct {
	Seq     uint64
	Counted uint64
	Own     uint64
}

// Head is a conversation's newest state.
//
// Invariants: Counted = Own[0] + Own[1] in a peer conversation; Time and
// OrderKey never run back; BaseSeq <= Seq, and entries (BaseSeq, Seq] exist.
type Head struct {
	Seq      uint64 // the newest entry's; 0 never stored
	Rev      uint64 // changes to existing rows
	Time     int64  // ms, the newest entry's
	OrderKey uint64
	Counted  uint64    // entries that count as unread
	Own      [2]uint64 // of those, sent by the first and second peer
	Hash     [32]byte  // chain over all entries up to Seq

	DedupeFloor int64 // ms; a client message issued before is refused
	MaxIssuedAt int64 // ms; no dedupe row is newer
	CreatedAt   int64 // ms
	BaseSeq     uint64
	BaseHash    [32]byte
}

// Mark is the head as a read mark of user.
func (h *Head) Mark(c ConversationKey, user string) Mark {
	m := Mark{Seq: h.Seq, Counted: h.Counted}
	if side, ok := c.side(user); ok {
		m.Own = h.Own[side]
	}
	return m
}

// Unread counts the entries past the mark that count and are not user's own.
func (h *Head) Unread(c ConversationKey, user string, m Mark) uint64 {
	now := h.Mark(c, user)
	if now.Seq <= m.Seq {
		return 0
	}
	return (now.Counted - m.Counted) - (now.Own - m.Own)
}

// side is the place of a peer's user in Head.Own.
func (k ConversationKey) side(user string) (int, bool) {
	first, second, ok := k.Peers()
	switch {
	case ok && user == first:
		return 0, true
	case ok && user == second:
		return 1, true
	}
	return 0, false
}

// EntryKind says what an entry is.
type EntryKind uint8

// The kinds of entries.
const (
	EntryMessage    EntryKind = 1
	EntryTip        EntryKind = 2
	EntryMembership EntryKind = 3
	EntryErased     EntryKind = 4 // a message whose content is gone
)

// Entry is one line of a conversation's log: a header and a content that is
// opaque here.
type Entry struct {
	Kind            EntryKind
	Type            MessageType
	Seq             uint64
	Rev             uint64 // Head.Rev when it was last changed; 0: never
	Sender          string
	Time            int64 // ms
	OrderKey        uint64
	Counted         uint64 // Head.Counted with this entry
	Own             uint64 // the sender's own counted entries with this one
	ClientMessageID ClientMessageID
	IssuedAt        int64    // ms
	Salt            [16]byte // blinds the content in the hash chain
	Inner           [32]byte // of an erased one: the hash of the salt and content that are gone
	Content         []byte   // an encoded parley.wire.v1.Content, as the sender made it
}

// ChangeKind says what became of an entry.
type ChangeKind uint8

// The kinds of changes.
const (
	ChangeErased ChangeKind = 1
)

// Change is which entry was changed, and how.
type Change struct {
	Seq  uint64
	What ChangeKind
}

// Dedupe is where a send went, and the hash of its content.
type Dedupe struct {
	Seq     uint64
	Content [32]byte
}
