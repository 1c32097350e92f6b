package directory_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
)

// What another release says is answered or skipped, never fatal.

func TestWhatANodeDoesNotUnderstandIsAnswered(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	other := &member{n: n, name: "n9", inbox: make(chan arriving, 100)}
	n.mu.Lock()
	n.all["n9"] = other
	n.mu.Unlock()
	n.all["n2"].dir.Up("n9")
	n.all["n2"].dir.Receive("n9", &peerpb.Message{Kind: peerpb.Kind_KIND_ACTOR, Envelope: &peerpb.Envelope{
		Identity: &peerpb.Identity{Kind: 0, AppId: 1, Id: []byte("ann")}, Sender: "a", Type: 9999, Request: 7,
	}})
	next(t, other.inbox, "the refusal", func(a arriving) bool {
		var r actorpb.Answer
		e := a.m.Envelope
		return e.Process == "a" && e.Request == 7 && r.UnmarshalVT(e.Body) == nil && r.Error.GetCode() == uint32(chat.CodeUnsupported)
	})
}

func TestAnAnswerThatIsNotUnderstoodIsAnUnknownOutcome(t *testing.T) {
	n := newNodes(t, "n1", "n2")
	n1, n2 := n.all["n1"], n.all["n2"]
	n2.lead(3)
	a := n1.asker("a")
	a.ask(1)
	a.answer(1)
	n2.set(func(m *member) { m.mute = true })
	a.ask(7)
	n1.dir.Receive("n2", &peerpb.Message{Kind: peerpb.Kind_KIND_ACTOR, Envelope: &peerpb.Envelope{Process: "a", Type: 9999, Request: 7}})
	m, ok := (<-a.got).(*actorpb.Answer)
	if !ok || m.Request != 7 || chat.Code(m.Error.GetCode()) != chat.CodeTimeout || !strings.Contains(m.Error.Message, "another release") {
		t.Errorf("the asker hears %v", m)
	}
}
