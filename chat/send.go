package chat

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
)

// dedupeSweep is how often, in entries, a conversation's dedupe floor is moved.
// A power of two; part of Version 1.
const dedupeSweep = 64

// Send appends a message to a conversation, once per client message id.
type Send struct {
	Conversation    ConversationKey
	Sender          string
	ClientMessageID ClientMessageID
	IssuedAt        int64 // ms
	Type            MessageType
	Content         []byte // encoded, checked, opaque
	Salt            [16]byte
	Window          DedupeWindow
}

var sendRule = on(applySend)

func (*Send) rule() *rule { return &sendRule }

func applySend(s *State, now int64, b *Send) (Result, []Event) {
	side, ok := b.Conversation.side(b.Sender)
	if !ok {
		return refuse(CodeInvalidParam, "the sender is not in the conversation")
	}
	head, exists := s.Heads.Get(b.Conversation)
	now = max(now, head.Time)
	if b.IssuedAt <= 0 || b.IssuedAt > now+MaxIssuedAhead.Milliseconds() {
		return refuse(CodeInvalidParam, "issued at %d, the server's time is %d ms; at most %v ahead is allowed", b.IssuedAt, now, MaxIssuedAhead)
	}
	if b.IssuedAt < head.DedupeFloor {
		return refuse(CodeDedupeWindowPassed, "issued at %d, retries of messages before %d can no longer be told from new ones", b.IssuedAt, head.DedupeFloor)
	}
	key := DedupeKey{Conversation: b.Conversation, IssuedAt: b.IssuedAt, Sender: b.Sender, ID: b.ClientMessageID}
	row := Dedupe{Seq: head.Seq + 1, Content: sha256.Sum256(b.Content)}
	if b.IssuedAt <= head.MaxIssuedAt {
		if first, seen := s.Dedupes.Get(key); seen {
			return duplicate(s, b, first, row.Content)
		}
	}

	head.append(now, side)
	e := Entry{
		Kind: EntryMessage, Type: b.Type, Seq: head.Seq, Sender: b.Sender, Time: head.Time, OrderKey: head.OrderKey, Counted: head.Counted, Own: head.Own[side],
		ClientMessageID: b.ClientMessageID, IssuedAt: b.IssuedAt, Salt: b.Salt, Content: b.Content,
	}
	head.Hash = chain(head.Hash, b.Conversation, &e, innerHash(b.Salt, row.Content))
	head.MaxIssuedAt = max(head.MaxIssuedAt, b.IssuedAt)
	s.Entries.Put(EntryKey{b.Conversation, e.Seq}, e)
	s.Dedupes.Put(key, row)

	res := Result{Sent: sentAs(b.Conversation, &e)}
	if !exists {
		head.CreatedAt = now
		res.Effects = openForPeers(s, b.Conversation)
	}
	if head.Seq%dedupeSweep == 0 {
		head.sweepDedupe(s, b.Conversation, b.Window)
	}
	s.Heads.Put(b.Conversation, head)
	return res, []Event{Appended{Conversation: b.Conversation, Entry: e}}
}

func refuse(code Code, format string, args ...any) (Result, []Event) {
	return Result{Err: Errorf(code, "send", format, args...)}, nil
}

// duplicate answers a retry with the first outcome, or refuses an id that was
// used for something else. A retry of the first message puts the conversation
// into the sender's list again, after whatever the outbox still holds: whoever
// waits for that effect knows that the list shows the conversation.
func duplicate(s *State, b *Send, first Dedupe, content [32]byte) (Result, []Event) {
	e, ok := s.Entries.Get(EntryKey{b.Conversation, first.Seq})
	if !ok {
		return refuse(CodeDedupeWindowPassed, "the message that this retry repeats is no longer kept")
	}
	if e.Kind != EntryErased && first.Content != content || e.Type != b.Type {
		return refuse(CodeIDConflict, "this client message id was used for another message")
	}
	res := Result{Sent: sentAs(b.Conversation, &e)}
	res.Sent.Duplicate = true
	if first.Seq == 1 {
		res.Effects = []EffectRef{open(s, b.Conversation, b.Sender)}
	}
	return res, nil
}

// append moves the head to a new counted entry of a peer.
func (h *Head) append(now int64, side int) {
	h.Seq++
	h.Time = now
	h.OrderKey = max(h.OrderKey+1, uint64(now)*1000)
	h.Counted++
	h.Own[side]++
}

// sweepDedupe moves the floor up to what lies outside the window by both its
// measures, and deletes the rows below.
func (h *Head) sweepDedupe(s *State, c ConversationKey, w DedupeWindow) {
	if h.Seq <= w.Messages {
		return
	}
	oldest, ok := s.Entries.Get(EntryKey{c, h.Seq - w.Messages})
	if !ok {
		return
	}
	floor := min(h.Time-w.Age.Milliseconds(), oldest.Time)
	if floor > h.DedupeFloor {
		s.Dedupes.DropBelow(c, h.DedupeFloor, floor)
		h.DedupeFloor = floor
	}
}

func openForPeers(s *State, c ConversationKey) []EffectRef {
	first, second, _ := c.Peers()
	return []EffectRef{open(s, c, first), open(s, c, second)}
}

// open queues the effect that puts a conversation into a user's list.
func open(s *State, c ConversationKey, user string) EffectRef {
	return s.Outbox.Queue(Effect{To: Addressee{User: UserKey{c.App, user}}, Body: ConversationOpened{c}})
}

func sentAs(c ConversationKey, e *Entry) Sent {
	return Sent{MessageID: MessageID(c, e.Seq), Seq: e.Seq, OrderKey: e.OrderKey, Time: e.Time}
}

// MessageID is the ID of a conversation's message: 80 bits of a hash of the
// conversation's key, and the seq. Opaque to clients, unique within an app.
func MessageID(c ConversationKey, seq uint64) string {
	var buf [64]byte
	return string(strconv.AppendUint(append(appendMessageIDPrefix(buf[:0], c), '-'), seq, 10))
}

func appendMessageIDPrefix(dst []byte, c ConversationKey) []byte {
	var key [128]byte
	k := binary.BigEndian.AppendUint32(key[:0], uint32(c.App))
	k = append(append(k, byte(c.Kind)), c.ID...)
	sum := sha256.Sum256(k)
	return messageIDEncoding.AppendEncode(dst, sum[:10])
}

var messageIDEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
