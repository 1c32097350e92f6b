package logpb

import "github.com/parley-im/parley/chat"

// From makes a row of a value of the domain, as From[User](&user). The row
// shares the value's slices.
func From[R any, V any, P interface {
	*R
	Set(*V)
}](v *V) P {
	row := P(new(R))
	row.Set(v)
	return row
}

// Set takes a user's row over, maybe into one that is used again.
func (u *User) Set(v *chat.User) {
	u.Name, u.AvatarUrl, u.ExtendedData, u.RegisteredAtMs, u.Devices = v.Name, v.AvatarURL, v.ExtendedData, v.RegisteredAt, nil
	for _, d := range v.Devices {
		u.Devices = append(u.Devices, &Device{Id: d.ID, LoginAtMs: d.LoginAt})
	}
}

// Chat converts back.
func (u *User) Chat() chat.User {
	c := chat.User{Name: u.GetName(), AvatarURL: u.GetAvatarUrl(), ExtendedData: u.GetExtendedData(), RegisteredAt: u.GetRegisteredAtMs()}
	for _, d := range u.GetDevices() {
		c.Devices = append(c.Devices, chat.Device{ID: d.GetId(), LoginAt: d.GetLoginAtMs()})
	}
	return c
}

// Set takes a user's row for a conversation over.
func (m *Membership) Set(v *chat.Membership) {
	m.Mark, m.SinceMs, m.Pinned, m.Muted, m.Draft = fromMark(v.Mark), v.Since, v.Pinned, v.Muted, v.Draft
}

// Chat converts back.
func (m *Membership) Chat() chat.Membership {
	return chat.Membership{Mark: m.GetMark().chat(), Since: m.GetSinceMs(), Pinned: m.GetPinned(), Muted: m.GetMuted(), Draft: m.GetDraft()}
}

// Set takes a conversation's head over; the row shares its hashes.
func (r *Head) Set(h *chat.Head) {
	r.Seq, r.Rev, r.TimeMs, r.OrderKey, r.Counted = h.Seq, h.Rev, h.Time, h.OrderKey, h.Counted
	r.OwnFirst, r.OwnSecond = h.Own[0], h.Own[1]
	r.Hash, r.BaseSeq, r.BaseHash = h.Hash[:], h.BaseSeq, h.BaseHash[:]
	r.DedupeFloorMs, r.MaxIssuedAtMs, r.CreatedAtMs = h.DedupeFloor, h.MaxIssuedAt, h.CreatedAt
}

// Chat converts back.
func (h *Head) Chat() chat.Head {
	c := chat.Head{
		Seq: h.GetSeq(), Rev: h.GetRev(), Time: h.GetTimeMs(), OrderKey: h.GetOrderKey(), Counted: h.GetCounted(),
		Own: [2]uint64{h.GetOwnFirst(), h.GetOwnSecond()}, DedupeFloor: h.GetDedupeFloorMs(), MaxIssuedAt: h.GetMaxIssuedAtMs(),
		CreatedAt: h.GetCreatedAtMs(), BaseSeq: h.GetBaseSeq(),
	}
	copy(c.Hash[:], h.GetHash())
	copy(c.BaseHash[:], h.GetBaseHash())
	return c
}

// Set takes a line of a conversation's log over; the row shares its slices.
func (r *Entry) Set(e *chat.Entry) {
	r.Kind, r.Type, r.Rev = uint32(e.Kind), uint32(e.Type), e.Rev
	r.Seq, r.Sender, r.TimeMs, r.OrderKey, r.Counted, r.Own = e.Seq, e.Sender, e.Time, e.OrderKey, e.Counted, e.Own
	r.ClientMessageId, r.IssuedAtMs, r.Salt, r.Content = e.ClientMessageID[:], e.IssuedAt, e.Salt[:], e.Content
	if r.Inner = nil; e.Inner != [32]byte{} {
		r.Inner = e.Inner[:]
	}
}

// Chat converts back. The result shares the row's slices.
func (e *Entry) Chat() chat.Entry {
	c := chat.Entry{
		Kind: chat.EntryKind(e.GetKind()), Type: chat.MessageType(e.GetType()), Seq: e.GetSeq(), Rev: e.GetRev(), Sender: e.GetSender(),
		Time: e.GetTimeMs(), OrderKey: e.GetOrderKey(), Counted: e.GetCounted(), Own: e.GetOwn(), IssuedAt: e.GetIssuedAtMs(), Content: e.GetContent(),
	}
	copy(c.ClientMessageID[:], e.GetClientMessageId())
	copy(c.Salt[:], e.GetSalt())
	copy(c.Inner[:], e.GetInner())
	return c
}

// Set takes a change over.
func (c *EntryChange) Set(v *chat.Change) { c.Seq, c.What = v.Seq, uint32(v.What) }

// Chat converts back.
func (c *EntryChange) Chat() chat.Change {
	return chat.Change{Seq: c.GetSeq(), What: chat.ChangeKind(c.GetWhat())}
}

// Set takes a dedupe row over; it shares the hash.
func (d *Dedupe) Set(v *chat.Dedupe) { d.Seq, d.ContentHash = v.Seq, v.Content[:] }

// Chat converts back.
func (d *Dedupe) Chat() chat.Dedupe {
	c := chat.Dedupe{Seq: d.GetSeq()}
	copy(c.Content[:], d.GetContentHash())
	return c
}
