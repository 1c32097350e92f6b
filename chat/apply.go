package chat

import "fmt"

// Apply runs one command against a shard's state. It is deterministic: the
// same state and command give the same result, events and writes on every
// replica. A refusal (Result.Err) has written nothing.
//
// It panics on a command of a version that it does not know and on a body of
// an unknown type: a replica that cannot apply what was agreed must stop.
func Apply(s State, c Command) (Result, []Event) {
	if c.Version != Version {
		panic(fmt.Sprintf("chat: command of version %d, this binary applies %d", c.Version, Version))
	}
	switch b := c.Body.(type) {
	case Login:
		return applyLogin(s, c.Time, b), nil
	case *Send: // large, and on the hot path
		return applySend(s, c.Time, b)
	case Send:
		return applySend(s, c.Time, &b)
	case MarkRead:
		return applyMarkRead(s, c.Time, b), nil
	case Deliver:
		return applyDeliver(s, c.Time, b), nil
	case Delivered:
		s.DropEffects(b.Destination, b.Through)
		return Result{}, nil
	}
	panic(fmt.Sprintf("chat: unknown command %T", c.Body))
}

func applyLogin(s State, now int64, b Login) Result {
	u, known := s.User(b.User)
	if !known {
		u.RegisteredAt = now
	}
	if b.Name != "" {
		u.Name = b.Name
	}
	if b.AvatarURL != "" {
		u.AvatarURL = b.AvatarURL
	}
	if b.DeviceID != "" {
		u.DeviceID, u.LoginAt = b.DeviceID, max(now, u.LoginAt)
	}
	s.PutUser(b.User, u)
	return Result{User: u}
}

// applyMarkRead makes the row when the effect that opens the conversation for
// the user is still on its way: what one can see, one can mark.
func applyMarkRead(s State, now int64, b MarkRead) Result {
	m, ok := s.Membership(b.User, b.Conversation)
	if !ok {
		m.Since = now
	}
	if !ok || b.Mark.Seq > m.Mark.Seq {
		if b.Mark.Seq > m.Mark.Seq {
			m.Mark = b.Mark
		}
		s.PutMembership(b.User, b.Conversation, m)
	}
	return Result{Mark: m.Mark}
}

func applyDeliver(s State, now int64, b Deliver) Result {
	mark := s.EffectMark(b.Source, b.Epoch)
	if b.First > mark+1 {
		return Result{Err: Errorf(CodeInternal, "deliver",
			"effects of shard %d begin at %d, applied are those up to %d", b.Source, b.First, mark)}
	}
	for i, e := range b.Effects {
		if n := b.First + uint64(i); n > mark {
			mark = n
			applyOpened(s, now, e.ConversationOpened)
		}
	}
	s.SetEffectMark(b.Source, b.Epoch, mark)
	return Result{}
}

func applyOpened(s State, now int64, e ConversationOpened) {
	if _, ok := s.Membership(e.User, e.Conversation); !ok {
		s.PutMembership(e.User, e.Conversation, Membership{Since: now})
	}
}
