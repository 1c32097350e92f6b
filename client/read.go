package client

import (
	"context"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// Message is one message as this user sees it.
type Message struct {
	// Peer is the other user of the conversation, whoever sent the message.
	Peer   string
	Sender string
	chat.Message
	MessageID string
	// Seq is the place in the conversation, 1, 2, 3 ...; 0 for a command.
	Seq             uint64
	OrderKey        uint64
	Time            time.Time
	ClientMessageID chat.ClientMessageID
}

// HistoryRequest asks for messages of one conversation with After < seq < Before.
type HistoryRequest struct {
	Peer          string
	After, Before uint64 // 0: no bound
	Count         int    // 1 to 100
	NewestFirst   bool   // the newest ones in the range rather than the oldest
}

// HistoryPage holds messages in ascending seq, the range that it covers (both 0
// when it covers none), and the conversation's last seq.
type HistoryPage struct {
	Messages          []Message
	First, Last, Head uint64
}

// ConversationsRequest asks for the user's conversations, latest first.
type ConversationsRequest struct {
	Count int // 1 to 500
	// After, when not nil, continues after this element of the page before.
	After *Conversation
}

// Conversation is one element of the user's list.
type Conversation struct {
	Peer, Name, AvatarURL string
	// Head is the last seq, Read the last one that is marked as read.
	Head, Read, Unread, OrderKey uint64
	Last                         *Message // nil when there is none
}

// ConversationsPage is one page of the list.
type ConversationsPage struct {
	Conversations []Conversation
	TotalUnread   uint64
	Complete      bool // nothing is left after this page
}

// History reads messages. Errors as for Send.
func (c *Client) History(ctx context.Context, r HistoryRequest) (HistoryPage, error) {
	page, err := c.history(ctx, peerRef(r.Peer), r)
	if err != nil {
		return HistoryPage{}, err
	}
	out := HistoryPage{First: page.GetFirstSeq(), Last: page.GetLastSeq(), Head: page.GetHeadSeq()}
	for _, m := range page.GetMessages() {
		out.Messages = append(out.Messages, messageFrom(m, c.o.UserID))
	}
	return out, nil
}

func (c *Client) history(ctx context.Context, ref *wirepb.ConversationRef, r HistoryRequest) (*wirepb.QueryMessagesReply, error) {
	const op = "history"
	f, err := c.do(ctx, op, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: &wirepb.QueryMessages{
		Conversation: ref, AfterSeq: r.After, BeforeSeq: r.Before, Count: uint32(max(0, r.Count)), NewestFirst: r.NewestFirst,
	}}})
	if err != nil {
		return nil, err
	}
	if f.GetQueryMessages() == nil {
		return nil, unexpected(op, f)
	}
	return f.GetQueryMessages(), nil
}

// Conversations reads one page of the user's list. Errors as for Send.
func (c *Client) Conversations(ctx context.Context, r ConversationsRequest) (ConversationsPage, error) {
	list := &wirepb.ListConversations{Count: uint32(max(0, r.Count))}
	if r.After != nil {
		list.BeforeOrderKey, list.Before = r.After.OrderKey, peerRef(r.After.Peer)
	}
	page, err := c.list(ctx, list)
	if err != nil {
		return ConversationsPage{}, err
	}
	out := ConversationsPage{TotalUnread: page.GetTotalUnread(), Complete: page.GetComplete()}
	for _, v := range page.GetConversations() {
		out.Conversations = append(out.Conversations, conversationFrom(v, c.o.UserID))
	}
	return out, nil
}

func (c *Client) list(ctx context.Context, r *wirepb.ListConversations) (*wirepb.ListConversationsReply, error) {
	const op = "conversations"
	f, err := c.do(ctx, op, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_ListConversations{ListConversations: r}})
	if err != nil {
		return nil, err
	}
	if f.GetListConversations() == nil {
		return nil, unexpected(op, f)
	}
	return f.GetListConversations(), nil
}

// ClearUnread marks the conversation with peer as read and gives the seq up to
// which it now is. Errors as for Send.
func (c *Client) ClearUnread(ctx context.Context, peer string) (uint64, error) {
	const op = "clear unread"
	f, err := c.do(ctx, op, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_ClearUnread{ClearUnread: &wirepb.ClearUnread{Conversation: peerRef(peer)}}})
	if err != nil {
		return 0, err
	}
	if f.GetClearUnread() == nil {
		return 0, unexpected(op, f)
	}
	return f.GetClearUnread().GetReadSeq(), nil
}

// RenewToken replaces the login's token and gives the time when the new one
// ends. Errors as for Send.
func (c *Client) RenewToken(ctx context.Context, token string) (time.Time, error) {
	const op = "renew token"
	f, err := c.do(ctx, op, renewal(token))
	if err != nil {
		return time.Time{}, err
	}
	if f.GetRenewToken() == nil {
		return time.Time{}, unexpected(op, f)
	}
	c.mu.Lock()
	c.token = token
	c.mu.Unlock()
	return time.UnixMilli(int64(f.GetRenewToken().GetTokenExpiresAtMs())), nil
}

func renewal(token string) *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Body: &wirepb.ClientFrame_RenewToken{RenewToken: &wirepb.RenewToken{Token: token}}}
}

func peerRef(peer string) *wirepb.ConversationRef {
	return &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer}
}

// messageFrom shares the frame's slices, which nobody else holds.
func messageFrom(m *wirepb.Message, self string) Message {
	out := Message{
		Peer: conversationOf(m, self), Sender: m.GetSenderId(), MessageID: m.GetMessageId(), Seq: m.GetSeq(), OrderKey: m.GetOrderKey(),
		Time: time.UnixMilli(int64(m.GetTimestampMs())), ClientMessageID: messageID(m),
	}
	// Nodes take no content that cannot be decoded; one that has none is erased.
	out.Message, _ = wirepb.DecodeContent(chat.MessageType(m.GetType()), m.GetContent())
	return out
}

// messageID is zero when the frame holds none.
func messageID(m *wirepb.Message) (id chat.ClientMessageID) {
	copy(id[:], m.GetClientMessageId())
	return id
}

// conversationOf is the conversation's id as self sees it.
func conversationOf(m *wirepb.Message, self string) string {
	if m.GetKind() == wirepb.ConversationKind_CONVERSATION_KIND_PEER && m.GetSenderId() != self {
		return m.GetSenderId()
	}
	return m.GetTargetId()
}

func conversationFrom(v *wirepb.Conversation, self string) Conversation {
	out := Conversation{
		Peer: v.GetRef().GetId(), Name: v.GetName(), AvatarURL: v.GetAvatarUrl(),
		Head: v.GetHeadSeq(), Read: v.GetReadSeq(), Unread: v.GetUnread(), OrderKey: v.GetOrderKey(),
	}
	if v.GetLastMessage() != nil {
		last := messageFrom(v.GetLastMessage(), self)
		out.Last = &last
	}
	return out
}
