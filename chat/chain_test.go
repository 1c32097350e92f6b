package chat_test

import (
	"testing"

	"github.com/parley-im/parley/chat"
)

const app chat.AppID = 7

// peers are two conversations that share a user.
var peers = []chat.ConversationKey{chat.PeerConversation(app, "ann", "bo"), chat.PeerConversation(app, "ann", "cy")}

func TestChangingAnythingBreaksTheChain(t *testing.T) {
	s := newShelf()
	for i := range 5 {
		b := send("ann", byte(i))
		b.Salt[0] = byte(i)
		chat.Apply(&s.State, at(1000+int64(i), &b))
	}
	head := s.heads[peers[0]]
	for name, change := range map[string]func(log []chat.Entry){
		"content":   func(l []chat.Entry) { l[2].Content = []byte("other") },
		"kind":      func(l []chat.Entry) { l[2].Kind = chat.EntryTip },
		"type":      func(l []chat.Entry) { l[2].Type = chat.TypeCustom },
		"sender":    func(l []chat.Entry) { l[2].Sender = "bo" },
		"time":      func(l []chat.Entry) { l[2].Time++ },
		"order key": func(l []chat.Entry) { l[2].OrderKey++ },
		"counted":   func(l []chat.Entry) { l[2].Counted++ },
		"own":       func(l []chat.Entry) { l[2].Own++ },
		"id":        func(l []chat.Entry) { l[2].ClientMessageID[15]++ },
		"issued at": func(l []chat.Entry) { l[2].IssuedAt++ },
		"salt":      func(l []chat.Entry) { l[2].Salt[3]++ },
		"seq":       func(l []chat.Entry) { l[2].Seq++ },
		"order":     func(l []chat.Entry) { l[2], l[3] = l[3], l[2] },
	} {
		log := s.log(peers[0])
		change(log)
		if chat.VerifyChain([32]byte{}, peers[0], log) == head.Hash {
			t.Errorf("a changed %s kept the chain", name)
		}
	}
	log := s.log(peers[0])
	half := chat.VerifyChain([32]byte{}, peers[0], log[:2])
	if chat.VerifyChain([32]byte{}, peers[1], log) == head.Hash {
		t.Error("the log of another conversation keeps the chain")
	}
	if chat.VerifyChain([32]byte{}, peers[0], log) != head.Hash || chat.VerifyChain(half, peers[0], log[2:]) != head.Hash {
		t.Error("the unchanged log does not give the head's hash, whole or in two parts")
	}
}

// at is a command of today's version.
func at(now int64, body chat.CommandBody) chat.Command {
	return chat.Command{Version: chat.Version, Time: now, Body: body}
}

// send is a send to the first of peers, issued at 1000.
func send(sender string, id byte) chat.Send {
	return chat.Send{
		Conversation: peers[0], Sender: sender, ClientMessageID: chat.ClientMessageID{id}, IssuedAt: 1000,
		Type: chat.TypeText, Content: []byte{'m', id}, Window: chat.DefaultLimits().Dedupe,
	}
}
