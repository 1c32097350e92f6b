package chat

// Login registers a user or updates their profile, and makes a device the
// newest. An empty name or avatar URL keeps the stored one; an empty DeviceID
// only registers.
type Login struct {
	User      UserKey
	Name      string
	AvatarURL string
	DeviceID  string
}

var loginRule = quiet(applyLogin)

func (Login) rule() *rule { return &loginRule }

func applyLogin(s *State, now int64, b Login) Result {
	u, known := s.Users.Get(b.User)
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
	s.Users.Put(b.User, u)
	return Result{User: u}
}
