package chat

// Effect is a consequence that belongs to another shard, that of its addressee,
// where the outbox carries it.
type Effect struct {
	To   Addressee
	Body EffectBody
}

// Addressee is whom an effect concerns: a user, or a conversation when there is
// no user.
type Addressee struct {
	User         UserKey
	Conversation ConversationKey
}

// EffectBody is ConversationOpened, the only one today.
type EffectBody interface {
	apply(s *State, now int64, to Addressee)
}

// ConversationOpened puts a conversation into the set of the user it is for.
type ConversationOpened struct {
	Conversation ConversationKey
}

func (e ConversationOpened) apply(s *State, now int64, to Addressee) {
	key := MembershipKey{to.User, e.Conversation}
	if _, ok := s.Memberships.Get(key); !ok {
		s.Memberships.Put(key, Membership{Since: now})
	}
}

// EffectRef is an effect's place in a shard's outbox; numbers per destination
// count 1, 2, 3 ...
type EffectRef struct {
	Destination uint16
	Number      uint64
}
