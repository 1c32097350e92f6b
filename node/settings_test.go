package node_test

import (
	"strings"
	"testing"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

func (p *peer) set(q *wirepb.UpdateConversation) *wirepb.ServerFrame {
	p.t.Helper()
	return p.ask(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_UpdateConversation{UpdateConversation: q}})
}

func TestWhatIsSetForAConversationStaysAndIsInSync(t *testing.T) {
	o := options(t)
	o.Apps[0].Limits.Devices = 2
	n, stop := start(t, o)
	yes, no, draft, none := true, false, "草稿 📝", ""
	for _, peer := range []string{"bob", "carl", "dora"} {
		login(t, n, peer)
	}
	phone, laptop := loginAs(t, n, "phone", false), loginAs(t, n, "laptop", false)
	for _, peer := range []string{"bob", "carl", "dora"} {
		phone.sent(text(peer, "hi"))
		laptop.push()
	}
	check := func(p *peer, pinnedOnly bool, want string) {
		t.Helper()
		var got []string
		for _, c := range p.list(&wirepb.ListConversations{Count: 10, PinnedOnly: pinnedOnly}).GetConversations() {
			s := c.Ref.Id
			if c.Pinned {
				s += "+pinned"
			}
			if c.Muted {
				s += "+muted"
			}
			if c.Draft != "" {
				s += "+" + c.Draft
			}
			got = append(got, s)
		}
		if all := strings.Join(got, " "); all != want {
			t.Errorf("the list is %q, want %q", all, want)
		}
	}
	check(laptop, false, "dora carl bob") // reads the list first
	set := phone.set(&wirepb.UpdateConversation{Conversation: to("bob"), Pinned: &yes, Draft: &draft}).GetUpdateConversation().GetSettings()
	if !set.GetPinned() || set.GetMuted() || set.GetDraft() != draft {
		t.Errorf("setting gave %v", set)
	}
	if f, _ := laptop.read(); f.GetConversationChanged().GetSettings().GetDraft() != draft {
		t.Errorf("the other device got %v", f)
	}
	phone.set(&wirepb.UpdateConversation{Conversation: to("carl"), Muted: &yes, Pinned: &no})
	check(laptop, false, "dora carl+muted bob+pinned+"+draft)
	check(laptop, true, "bob+pinned+"+draft)
	only := phone.list(&wirepb.ListConversations{Only: []*wirepb.ConversationRef{to("bob")}}).GetConversations()
	if len(only) != 1 || only[0].Draft != draft || !only[0].Pinned {
		t.Errorf("asked for alone it is %v", only)
	}
	phone.set(&wirepb.UpdateConversation{Conversation: to("bob"), Draft: &none})

	stop()
	n, _ = start(t, o)
	alice := loginAs(t, n, "phone", false)
	check(alice, false, "dora carl+muted bob+pinned")

	long := strings.Repeat("x", 32<<10+1)
	for name, q := range map[string]*wirepb.UpdateConversation{
		"nobody":       {Conversation: to("nobody"), Pinned: &yes},
		"oneself":      {Conversation: to("alice"), Pinned: &yes},
		"a long draft": {Conversation: to("bob"), Draft: &long},
	} {
		if code := chat.Code(alice.set(q).GetError().GetCode()); code != chat.CodeInvalidParam && code != chat.CodeNoConversation {
			t.Errorf("%s: %d", name, code)
		}
	}
}
