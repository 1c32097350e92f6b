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
	return &Head{
		Seq: h.Seq, Rev: h.Rev, TimeMs: h.Time, OrderKey: h.OrderKey, Counted: h.Counted, OwnFirst: h.Own[0], OwnSecond: h.Own[1],
		Hash: h.Hash[:], DedupeFloorMs: h.DedupeFloor, MaxIssuedAtMs: h.MaxIssuedAt, CreatedAtMs: h.CreatedAt,
		BaseSeq: h.BaseSeq, BaseHash: h.BaseHash[:],
	}
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
	m := &e.Message
	return &Entry{
		Seq: e.Seq, Sender: e.Sender, TimeMs: e.Time, OrderKey: e.OrderKey, Counted: e.Counted, Own: e.Own,
		ClientMessageId: e.ClientMessageID[:], IssuedAtMs: e.IssuedAt, Type: uint32(m.Type), SubType: m.SubType, Priority: m.Priority,
		Body: m.Body, ExtendedData: m.ExtendedData, SearchedContent: m.SearchedContent, MentionedUserIds: m.MentionedUserIDs,
		MentionAll: m.MentionAll, Salt: e.Salt[:],
	}
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
