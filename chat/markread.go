package chat

// MarkRead moves a user's read mark forward; an older mark changes nothing.
type MarkRead struct {
	User         UserKey
	Conversation ConversationKey
	Mark         Mark
}

var markReadRule = quiet(applyMarkRead)

func (MarkRead) rule() *rule { return &markReadRule }

// applyMarkRead makes the row when the effect that opens the conversation for
// the user is still on its way: what one can see, one can mark.
func applyMarkRead(s *State, now int64, b MarkRead) Result {
	key := MembershipKey{b.User, b.Conversation}
	m, ok := s.Memberships.Get(key)
	if !ok {
		m.Since = now
	}
	if !ok || b.Mark.Seq > m.Mark.Seq {
		if b.Mark.Seq > m.Mark.Seq {
			m.Mark = b.Mark
		}
		s.Memberships.Put(key, m)
	}
	return Result{Mark: m.Mark}
}
