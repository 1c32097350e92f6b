package promise

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// Users and Conversations are a small world, in which everybody meets again and
// again; most often the first of each.
var (
	Users         = []chat.UserKey{{App: 1, ID: "a"}, {App: 1, ID: "b"}, {App: 1, ID: "cc"}, {App: 2, ID: "a"}, {App: 2, ID: "b"}}
	Conversations = []chat.ConversationKey{chat.PeerConversation(1, "a", "b"), chat.PeerConversation(1, "a", "cc"), chat.PeerConversation(2, "a", "b")}
	texts         = []string{"", "x", "y"}
	devices       = []string{"", "d1", "d2", "d3", "d4"}
)

func (w *World) ofUser(u chat.UserKey) uint16 { return w.place(chat.Addressee{User: u}) }

func (w *World) ofConversation(c chat.ConversationKey) uint16 {
	return w.place(chat.Addressee{Conversation: c})
}

func drawLogin(t *rapid.T, w *World) (uint16, chat.Login, bool) {
	c := chat.Login{
		User: rapid.SampledFrom(Users).Draw(t, "user"), Name: rapid.SampledFrom(texts).Draw(t, "name"), AvatarURL: rapid.SampledFrom(texts).Draw(t, "avatar"),
		DeviceID: rapid.SampledFrom(devices).Draw(t, "device"), Devices: rapid.IntRange(0, 3).Draw(t, "devices"),
	}
	online := rapid.IntRange(0, 31).Draw(t, "online")
	for i, d := range devices {
		if online>>i&1 == 1 {
			c.Online = append(c.Online, d)
		}
	}
	return w.ofUser(c.User), c, true
}

// login: what is given replaces what is stored, what is empty does not. The device
// is the newest one, and no login is earlier than the one before it. When there
// are more devices than may be, those that are not online go first, of these and
// of the others the earliest; the new one stays.
func (w *World) login(s *Shard, now int64, c chat.Login) Want {
	u := s.user(c.User, now)
	if c.Name != "" {
		u.Name = c.Name
	}
	if c.AvatarURL != "" {
		u.AvatarURL = c.AvatarURL
	}
	if c.DeviceID != "" {
		u.Devices = admit(u.Devices, c, now)
	}
	s.users[c.User] = u
	return Want{Result: chat.Result{User: u}}
}

func admit(before []chat.Device, c chat.Login, now int64) []chat.Device {
	var offline, online []string
	for _, d := range before {
		now = max(now, d.LoginAt)
		switch {
		case d.ID == c.DeviceID:
		case slices.Contains(c.Online, d.ID):
			online = append(online, d.ID)
		default:
			offline = append(offline, d.ID)
		}
	}
	leave := append(offline, online...)
	leave = leave[:max(0, len(leave)+1-max(1, c.Devices))]
	var after []chat.Device
	for _, d := range before {
		if d.ID != c.DeviceID && !slices.Contains(leave, d.ID) {
			after = append(after, d)
		}
	}
	return append(after, chat.Device{ID: c.DeviceID, LoginAt: now})
}

// user is a user's row, registered now when there is none.
func (s *Shard) user(key chat.UserKey, now int64) chat.User {
	if u, ok := s.users[key]; ok {
		return u
	}
	return chat.User{RegisteredAt: now}
}

func drawUpdate(t *rapid.T, w *World) (uint16, chat.UpdateUser, bool) {
	c := chat.UpdateUser{User: rapid.SampledFrom(Users).Draw(t, "user"), Name: given(t, "name", texts), AvatarURL: given(t, "avatar", texts), ExtendedData: given(t, "extended", texts)}
	return w.ofUser(c.User), c, true
}

// update: what is given is stored, empty or not; the rest stays.
func (w *World) update(s *Shard, now int64, c chat.UpdateUser) Want {
	u := s.user(c.User, now)
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.AvatarURL != nil {
		u.AvatarURL = *c.AvatarURL
	}
	if c.ExtendedData != nil {
		u.ExtendedData = *c.ExtendedData
	}
	s.users[c.User] = u
	return Want{Result: chat.Result{User: u}}
}
