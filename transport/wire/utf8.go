package wire

import (
	"unicode/utf8"

	"github.com/parley-im/parley/proto/wirepb"
)

// The checks below look at every string field of every frame. They are written
// by hand to keep reflection off the hot path; a test walks the descriptors
// instead and fails when a string field is missed.

// validClient says whether every string in f is UTF-8. f came from a decoder:
// a body that is there is not nil.
func validClient(f *wirepb.ClientFrame) bool {
	switch b := f.Body.(type) {
	case *wirepb.ClientFrame_Send:
		return validSend(b.Send)
	case *wirepb.ClientFrame_Hello:
		return validHello(b.Hello)
	case *wirepb.ClientFrame_History:
		return validRef(b.History.Conversation)
	case *wirepb.ClientFrame_ListConversations:
		return validRef(b.ListConversations.Before) && all(b.ListConversations.Only, validRef)
	case *wirepb.ClientFrame_ClearUnread:
		return validRef(b.ClearUnread.Conversation)
	case *wirepb.ClientFrame_RenewToken:
		return valid(b.RenewToken.Token)
	}
	return true
}

// validServer is validClient for the other direction.
func validServer(f *wirepb.ServerFrame) bool {
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_Message:
		return validMessage(b.Message)
	case *wirepb.ServerFrame_Sent:
		return valid(b.Sent.MessageId)
	case *wirepb.ServerFrame_Error:
		return valid(b.Error.Message)
	case *wirepb.ServerFrame_Welcome:
		return valid(b.Welcome.UserName) && valid(b.Welcome.AvatarUrl) && valid(b.Welcome.Node) &&
			all(b.Welcome.Capabilities, valid) && all(b.Welcome.Servers, valid)
	case *wirepb.ServerFrame_HistoryPage:
		return all(b.HistoryPage.Messages, validMessage)
	case *wirepb.ServerFrame_ConversationPage:
		return all(b.ConversationPage.Conversations, validConversation)
	case *wirepb.ServerFrame_UnreadCleared:
		return validRef(b.UnreadCleared.Conversation)
	case *wirepb.ServerFrame_UnreadChanged:
		return validRef(b.UnreadChanged.Conversation)
	}
	return true
}

func validHello(h *wirepb.Hello) bool {
	return valid(h.UserId) && valid(h.Token) && valid(h.UserName) && valid(h.AvatarUrl) &&
		valid(h.DeviceId) && valid(h.Platform) && all(h.Capabilities, valid)
}

func validSend(s *wirepb.Send) bool {
	return validRef(s.Conversation) && valid(s.ExtendedData) && valid(s.SearchedContent) && all(s.MentionedUserIds, valid)
}

func validMessage(m *wirepb.Message) bool {
	return m == nil || valid(m.SenderId) && valid(m.TargetId) && valid(m.MessageId) &&
		valid(m.ExtendedData) && valid(m.SearchedContent) && all(m.MentionedUserIds, valid)
}

func validConversation(c *wirepb.Conversation) bool {
	return validRef(c.Ref) && valid(c.Name) && valid(c.AvatarUrl) && validMessage(c.LastMessage)
}

func validRef(r *wirepb.ConversationRef) bool { return r == nil || valid(r.Id) }

func valid(s string) bool { return utf8.ValidString(s) }

func all[T any](items []T, ok func(T) bool) bool {
	for _, item := range items {
		if !ok(item) {
			return false
		}
	}
	return true
}
