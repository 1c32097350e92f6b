package chat

// UpdateUser changes a profile; what is nil stays.
type UpdateUser struct {
	User         UserKey
	Name         *string
	AvatarURL    *string
	ExtendedData *string
}

var updateUserRule = quiet(applyUpdateUser)

func (UpdateUser) rule() *rule { return &updateUserRule }

func applyUpdateUser(s *State, now int64, b UpdateUser) Result {
	u, known := s.Users.Get(b.User)
	if !known {
		u.RegisteredAt = now
	}
	for _, field := range []struct{ of, to *string }{{&u.Name, b.Name}, {&u.AvatarURL, b.AvatarURL}, {&u.ExtendedData, b.ExtendedData}} {
		if field.to != nil {
			*field.of = *field.to
		}
	}
	s.Users.Put(b.User, u)
	return Result{User: u}
}
