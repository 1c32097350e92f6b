package node_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/node"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// loginAs logs a device of alice's in.
func loginAs(t *testing.T, n *node.Node, device string, resume bool) *peer {
	t.Helper()
	p := dial(t, n, wire.Proto{})
	h := hello(app, "alice", token(t, app, secret, "alice", time.Hour))
	h.DeviceId, h.Resume = device, resume
	p.welcome(h)
	return p
}

func TestDevicesOfAUserSeeTheSame(t *testing.T) {
	o := options(t)
	o.Apps[0].Limits.Devices = 2
	n, _ := start(t, o)
	bob := login(t, n, "bob")
	phone, laptop := loginAs(t, n, "phone", false), loginAs(t, n, "laptop", false)

	ack := phone.sent(text("bob", "from the phone"))
	if m := laptop.push(); m.MessageId != ack.MessageId || m.TargetId != "bob" {
		t.Errorf("the other device got %v of what this one sent as %s", m, ack.MessageId)
	}
	bob.push()
	ack = bob.sent(text("alice", "to both"))
	for name, p := range map[string]*peer{"phone": phone, "laptop": laptop} {
		if m := p.push(); m.MessageId != ack.MessageId {
			t.Errorf("the %s got %v, want %s", name, m, ack.MessageId)
		}
	}
	clear := &wirepb.ClientFrame{Body: &wirepb.ClientFrame_ClearUnread{ClearUnread: &wirepb.ClearUnread{Conversation: to("bob")}}}
	if r := phone.ask(clear); r.GetClearUnread().GetReadSeq() != 2 {
		t.Errorf("marking as read gave %v", r)
	}
	if f, _ := laptop.read(); f.GetUnreadChanged().GetReadSeq() != 2 {
		t.Errorf("the other device got %v, want that all is read", f)
	}

	tablet := loginAs(t, n, "tablet", false)
	if code := phone.closed(); code != 4409 {
		t.Errorf("the earliest device was closed with %d, want 4409", code)
	}
	loginAs(t, n, "laptop", true) // comes back beside the tablet
	if code := laptop.closed(); code != 1000 {
		t.Errorf("the connection that the laptop has left was closed with %d, want 1000", code)
	}
	tablet.sent(text("bob", "still here"))
	resumed := dial(t, n, wire.Proto{})
	h := hello(app, "alice", token(t, app, secret, "alice", time.Hour))
	h.DeviceId, h.Resume = "phone", true
	resumed.say(helloFrame(h))
	if f, _ := resumed.read(); f.GetKicked().GetReason() != wirepb.Kicked_REASON_OTHER_DEVICE {
		t.Errorf("a resume of the device that had to go got %v", f)
	}
}

func TestADeviceThatHasGoneMakesRoom(t *testing.T) {
	o := options(t)
	o.Apps[0].Limits.Devices = 2
	n, _ := start(t, o)
	login(t, n, "bob")
	phone := loginAs(t, n, "phone", false)
	gone := loginAs(t, n, "laptop", false)
	gone.say(&wirepb.ClientFrame{Body: &wirepb.ClientFrame_Goodbye{Goodbye: &wirepb.Goodbye{}}})
	gone.closed()
	tablet := loginAs(t, n, "tablet", false)
	if got := chat.Code(phone.ask(sendFrame(text("bob", "I may stay"))).GetError().GetCode()); got != 0 {
		t.Errorf("the phone, which is online, had to go for a device that is not: %d", got)
	}
	tablet.push()
}
