package chat

// Deliver brings effects from another shard's outbox; those applied before are
// skipped.
type Deliver struct {
	Source  EffectSource
	First   uint64 // outbox number of Effects[0]
	Effects []Effect
}

// Delivered deletes the outbox rows that their destination has applied.
type Delivered struct {
	Destination uint16
	Through     uint64
}

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

var (
	deliverRule   = quiet(applyDeliver)
	deliveredRule = quiet(applyDelivered)
)

func (Deliver) rule() *rule   { return &deliverRule }
func (Delivered) rule() *rule { return &deliveredRule }

func applyDeliver(s *State, now int64, b Deliver) Result {
	mark, _ := s.Applied.Get(b.Source)
	if b.First > mark+1 {
		return Result{Err: Errorf(CodeInternal, "deliver",
			"effects of shard %d begin at %d, applied are those up to %d", b.Source.Shard, b.First, mark)}
	}
	for i, e := range b.Effects {
		if n := b.First + uint64(i); n > mark {
			mark = n
			applyOpened(s, now, e.ConversationOpened)
		}
	}
	s.Applied.Put(b.Source, mark)
	return Result{}
}

func applyOpened(s *State, now int64, e ConversationOpened) {
	key := MembershipKey(e)
	if _, ok := s.Memberships.Get(key); !ok {
		s.Memberships.Put(key, Membership{Since: now})
	}
}

func applyDelivered(s *State, _ int64, b Delivered) Result {
	s.Outbox.Drop(b.Destination, b.Through)
	return Result{}
}
