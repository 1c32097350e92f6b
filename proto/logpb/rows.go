package logpb

import "github.com/parley-im/parley/chat"

// FromUser converts a user's row.
func FromUser(u chat.User) *User {
	return &User{Name: u.Name, AvatarUrl: u.AvatarURL, DeviceId: u.DeviceID, RegisteredAtMs: u.RegisteredAt, LoginAtMs: u.LoginAt}
}

// Chat converts back.
func (u *User) Chat() chat.User {
	return chat.User{Name: u.GetName(), AvatarURL: u.GetAvatarUrl(), DeviceID: u.GetDeviceId(), RegisteredAt: u.GetRegisteredAtMs(), LoginAt: u.GetLoginAtMs()}
}

// FromMembership converts a user's row for a conversation.
func FromMembership(m chat.Membership) *Membership {
	return &Membership{Mark: fromMark(m.Mark), SinceMs: m.Since}
}

// Chat converts back.
func (m *Membership) Chat() chat.Membership {
	return chat.Membership{Mark: m.GetMark().chat(), Since: m.GetSinceMs()}
}

// FromHead converts a conversation's head.
func FromHead(h *chat.Head) *Head {
	row := &Head{}
	row.Set(h)
	return row
}

// Set is FromHead into a row that is used again; it shares the head's hashes.
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

// FromEntry converts a line of a conversation's log. The result shares the
// entry's slices.
func FromEntry(e *chat.Entry) *Entry {
	row := &Entry{}
	row.Set(e)
	return row
}

// Set is FromEntry into a row that is used again.
func (r *Entry) Set(e *chat.Entry) {
	m := &e.Message
	r.Seq, r.Sender, r.TimeMs, r.OrderKey, r.Counted, r.Own = e.Seq, e.Sender, e.Time, e.OrderKey, e.Counted, e.Own
	r.ClientMessageId, r.IssuedAtMs, r.Salt = e.ClientMessageID[:], e.IssuedAt, e.Salt[:]
	r.Type, r.SubType, r.Priority, r.Body = uint32(m.Type), m.SubType, m.Priority, m.Body
	r.ExtendedData, r.SearchedContent = m.ExtendedData, m.SearchedContent
	r.MentionedUserIds, r.MentionAll = m.MentionedUserIDs, m.MentionAll
}

// Chat converts back. The result shares the row's slices.
func (e *Entry) Chat() chat.Entry {
	c := chat.Entry{
		Seq: e.GetSeq(), Sender: e.GetSender(), Time: e.GetTimeMs(), OrderKey: e.GetOrderKey(), Counted: e.GetCounted(), Own: e.GetOwn(),
		IssuedAt: e.GetIssuedAtMs(),
		Message: chat.Message{
			Type: chat.MessageType(e.GetType()), SubType: e.GetSubType(), Priority: e.GetPriority(), Body: e.GetBody(), ExtendedData: e.GetExtendedData(),
			SearchedContent: e.GetSearchedContent(), MentionedUserIDs: e.GetMentionedUserIds(), MentionAll: e.GetMentionAll(),
		},
	}
	copy(c.ClientMessageID[:], e.GetClientMessageId())
	copy(c.Salt[:], e.GetSalt())
	return c
}

// FromDedupe converts a dedupe row.
func FromDedupe(d chat.Dedupe) *Dedupe { return &Dedupe{Seq: d.Seq, ContentHash: d.Content[:]} }

// Chat converts back.
func (d *Dedupe) Chat() chat.Dedupe {
	c := chat.Dedupe{Seq: d.GetSeq()}
	copy(c.Content[:], d.GetContentHash())
	return c
}
