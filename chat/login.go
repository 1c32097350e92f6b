package chat

import "slices"

// Login registers a user or updates their profile, and lets a device in. An empty
// name or avatar URL keeps the stored one; an empty DeviceID only registers.
type Login struct {
	User      UserKey
	Name      string
	AvatarURL string
	DeviceID  string
	// Devices is how many the user may have; at least 1 counts. When there are
	// more, those that are not Online go first, and of these the earliest.
	Devices int
	Online  []string
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
		u.Devices = b.devices(u.Devices, now)
	}
	s.Users.Put(b.User, u)
	return Result{User: u}
}

// devices are those that may stay, with the one that logs in as the newest.
func (b *Login) devices(before []Device, now int64) []Device {
	if n := len(before); n > 0 {
		now = max(now, before[n-1].LoginAt)
	}
	stay := slices.DeleteFunc(slices.Clone(before), func(d Device) bool { return d.ID == b.DeviceID })
	for len(stay) > 0 && len(stay) >= b.Devices {
		out := slices.IndexFunc(stay, func(d Device) bool { return !slices.Contains(b.Online, d.ID) })
		out = max(out, 0)
		stay = slices.Delete(stay, out, out+1)
	}
	return append(stay, Device{b.DeviceID, now})
}
