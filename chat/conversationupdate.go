package chat

// UpdateConversation changes what a user has set for a conversation of theirs;
// what is nil stays.
type UpdateConversation struct {
	User         UserKey
	Conversation ConversationKey
	Pinned       *bool
	Muted        *bool
	Draft        *string
}

var updateConversationRule = quiet(applyUpdateConversation)

func (UpdateConversation) rule() *rule { return &updateConversationRule }

// applyUpdateConversation makes the row when the effect that opens the
// conversation for the user is still on its way.
func applyUpdateConversation(s *State, now int64, b UpdateConversation) Result {
	key := MembershipKey{b.User, b.Conversation}
	m, ok := s.Memberships.Get(key)
	if !ok {
		m.Since = now
	}
	if b.Pinned != nil {
		m.Pinned = *b.Pinned
	}
	if b.Muted != nil {
		m.Muted = *b.Muted
	}
	if b.Draft != nil {
		m.Draft = *b.Draft
	}
	s.Memberships.Put(key, m)
	return Result{Membership: &m}
}
