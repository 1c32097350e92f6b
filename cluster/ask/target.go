package ask

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/internal/broken"
	"github.com/parley-im/parley/internal/protoscan"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// Target is the actor that a user's request is for. body has been checked.
func Target(u chat.UserKey, m *method.Method, body []byte) (directory.Identity, error) {
	switch m.To {
	case methodpb.To_TO_SELF:
		return directory.SessionOf(u), nil
	case methodpb.To_TO_CONVERSATION:
		kind, id := refOf(body)
		key, err := Conversation(u, opOf(m), kind, string(id))
		return directory.ConversationOf(key), err
	}
	return directory.Identity{}, chat.Errorf(chat.CodeUnsupported, opOf(m), "this method is not built yet")
}

// Conversation is the key of a conversation as a user names it.
func Conversation(u chat.UserKey, op string, kind wirepb.ConversationKind, id string) (chat.ConversationKey, error) {
	if kind != wirepb.ConversationKind_CONVERSATION_KIND_PEER {
		return chat.ConversationKey{}, chat.Errorf(chat.CodeUnsupported, op, "conversations of kind %d are not supported; peer is 1", kind)
	}
	if err := chat.CheckUserID(op, id); err != nil {
		return chat.ConversationKey{}, err
	}
	if id == u.ID {
		return chat.ConversationKey{}, chat.Errorf(chat.CodeInvalidParam, op, "one cannot talk to oneself; name another user")
	}
	app := u.App
	if broken.NoTenants {
		app += app % 2
	}
	return chat.PeerConversation(app, u.ID, id), nil
}

// refOf reads the ConversationRef in field 1 of a checked body: the first, if
// somebody gives several.
func refOf(body []byte) (kind wirepb.ConversationKind, id []byte) {
	f := protoscan.Over(body)
	for f.Next() && f.Num != 1 {
	}
	if f.Num != 1 {
		return 0, nil
	}
	for ref := protoscan.Over(f.Bytes); ref.Next(); {
		switch ref.Num {
		case 1:
			kind = wirepb.ConversationKind(ref.Number)
		case 2:
			id = ref.Bytes
		}
	}
	return kind, id
}
