package chat_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

var ann = chat.UserKey{App: app, ID: "ann"}

func TestLoginKeepsWhatItDoesNotGive(t *testing.T) {
	s := newShelf()
	for _, step := range []struct {
		now  int64
		give chat.Login
		want chat.User
	}{
		{100, chat.Login{User: ann}, chat.User{RegisteredAt: 100}},
		{200, chat.Login{User: ann, Name: "Ann", DeviceID: "d1"}, chat.User{Name: "Ann", RegisteredAt: 100, Devices: []chat.Device{{"d1", 200}}}},
		{300, chat.Login{User: ann, AvatarURL: "u", DeviceID: "d2"}, chat.User{Name: "Ann", AvatarURL: "u", RegisteredAt: 100, Devices: []chat.Device{{"d2", 300}}}},
		{400, chat.Login{User: ann, Name: "A."}, chat.User{Name: "A.", AvatarURL: "u", RegisteredAt: 100, Devices: []chat.Device{{"d2", 300}}}},
		{250, chat.Login{User: ann, DeviceID: "d3"}, chat.User{Name: "A.", AvatarURL: "u", RegisteredAt: 100, Devices: []chat.Device{{"d3", 300}}}},
	} {
		res, events := chat.Apply(&s.State, at(step.now, step.give))
		if res.Err != nil || !reflect.DeepEqual(res.User, step.want) || !reflect.DeepEqual(s.users[ann], step.want) || len(events) != 0 {
			t.Errorf("%+v gave %+v, %v, want %+v", step.give, res.User, res.Err, step.want)
		}
	}
}

func TestOverTheLimitTheEarliestDeviceGoesAndThoseOfflineFirst(t *testing.T) {
	s := newShelf()
	for i, step := range []struct {
		device string
		limit  int
		online []string
		want   string
	}{
		{"a", 3, nil, "a"},
		{"b", 3, []string{"a"}, "a b"},
		{"c", 3, []string{"a", "b"}, "a b c"},
		{"a", 3, []string{"a", "b", "c"}, "b c a"}, // again: it is the newest
		{"d", 3, []string{"a", "b", "c"}, "c a d"},
		{"e", 3, []string{"c", "d"}, "c d e"}, // a is not there
		{"f", 3, nil, "d e f"},
		{"g", 2, []string{"d", "e", "f"}, "f g"},
		{"h", 0, []string{"f", "g"}, "h"},
	} {
		res, _ := chat.Apply(&s.State, at(int64(100+i), chat.Login{User: ann, DeviceID: step.device, Devices: step.limit, Online: step.online}))
		var ids []string
		for _, d := range res.User.Devices {
			ids = append(ids, d.ID)
		}
		if got := strings.Join(ids, " "); got != step.want {
			t.Errorf("after the login of %s the devices are %q, want %q", step.device, got, step.want)
		}
	}
}

func TestMarkingBeforeTheEffectArrivesOpensTheConversation(t *testing.T) {
	s := newShelf()
	chat.Apply(&s.State, at(50, chat.MarkRead{User: ann, Conversation: peers[0], Mark: chat.Mark{Seq: 3, Counted: 3, Own: 1}}))
	chat.Apply(&s.State, at(90, deliver(1, opened(ann, peers[0]))))
	want := chat.Membership{Mark: chat.Mark{Seq: 3, Counted: 3, Own: 1}, Since: 50}
	if got := s.memberships[chat.MembershipKey{ann, peers[0]}]; got != want {
		t.Errorf("membership %+v, want %+v", got, want)
	}
}

func opened(u chat.UserKey, c chat.ConversationKey) chat.Effect {
	return chat.Effect{To: chat.Addressee{User: u}, Body: chat.ConversationOpened{Conversation: c}}
}

func deliver(first uint64, effects ...chat.Effect) chat.Deliver {
	return chat.Deliver{Source: chat.EffectSource{Shard: 3, Epoch: 1}, First: first, Effects: effects}
}

// TestEffectsAreAppliedOnceEach brings random overlapping pieces of a stream
// of effects, in random order, as retries and restarts do.
func TestEffectsAreAppliedOnceEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := make([]chat.Effect, rapid.IntRange(1, 30).Draw(t, "effects"))
		for i := range stream {
			stream[i] = opened(ann, chat.PeerConversation(app, "ann", fmt.Sprintf("u%d", i)))
		}
		s := newShelf()
		applied := 0
		for now := int64(1); now < 60; now++ {
			first := rapid.IntRange(0, len(stream)-1).Draw(t, "first")
			last := rapid.IntRange(first, len(stream)).Draw(t, "last")
			before := s.writes
			res, _ := chat.Apply(&s.State, at(now, deliver(uint64(first)+1, stream[first:last]...)))
			if first > applied {
				if res.Err == nil || res.Err.Code != chat.CodeInternal || s.writes != before {
					t.Fatalf("a hole before %d at %d gave %v and %d writes", first+1, applied, res.Err, s.writes-before)
				}
				continue
			}
			if res.Err != nil {
				t.Fatalf("%d to %d at %d: %v", first+1, last, applied, res.Err)
			}
			for i := applied; i < last; i++ {
				if got := s.memberships[chat.MembershipKey{ann, stream[i].Body.(chat.ConversationOpened).Conversation}].Since; got != now {
					t.Fatalf("effect %d was applied at %d, want %d", i+1, got, now)
				}
			}
			applied = max(applied, last)
			if got := s.applied[chat.EffectSource{Shard: 3, Epoch: 1}]; got != uint64(applied) || len(s.memberships) != applied {
				t.Fatalf("mark %d and %d memberships, want %d", got, len(s.memberships), applied)
			}
		}
		if s.applied[chat.EffectSource{Shard: 3, Epoch: 2}] != 0 || s.applied[chat.EffectSource{Shard: 4, Epoch: 1}] != 0 {
			t.Fatal("another epoch or source shares the mark")
		}
	})
}

func TestEffectsOfADestinationAreNumberedWithoutGaps(t *testing.T) {
	s := newShelf()
	want := map[uint16]uint64{}
	for i := range 50 {
		b := send("ann", 1)
		b.Conversation = chat.PeerConversation(app, "ann", fmt.Sprintf("u%d", i))
		res, _ := chat.Apply(&s.State, at(1000, &b))
		if len(res.Effects) != 2 {
			t.Fatalf("effects %v of a first message, want one for each peer", res.Effects)
		}
		for n, user := range []string{"ann", fmt.Sprintf("u%d", i)} {
			d := destination(chat.UserKey{App: app, ID: user})
			want[d]++
			if ref := (chat.EffectRef{Destination: d, Number: want[d]}); res.Effects[n] != ref || s.outbox[ref].To.User.ID != user {
				t.Fatalf("effect %d of %d is %+v, want %+v for %s", n, i, res.Effects[n], ref, user)
			}
		}
	}
	chat.Apply(&s.State, at(1001, chat.Delivered{Destination: 1, Through: want[1]}))
	if len(s.outbox) != int(want[2]) {
		t.Errorf("%d effects left after those for 1 were delivered, want %d", len(s.outbox), want[2])
	}
}

func TestARetryBehindTheFloorIsRefusedAndAboveItFound(t *testing.T) {
	s := newShelf()
	window := chat.DedupeWindow{Age: 10 * time.Millisecond, Messages: 64}
	body := func(i int) *chat.Send {
		b := send("ann", byte(i))
		b.ClientMessageID[1], b.IssuedAt, b.Window = byte(i>>8), 1000+int64(i), window
		return &b
	}
	for i := 1; i <= 256; i++ {
		if res, _ := chat.Apply(&s.State, at(1000+int64(i), body(i))); res.Err != nil || res.Sent.Seq != uint64(i) {
			t.Fatalf("send %d: %+v", i, res)
		}
	}
	// At 256 the head's time is 1256; message 192 was at 1192, the age reaches to 1246.
	if floor := s.heads[peers[0]].DedupeFloor; floor != 1192 {
		t.Fatalf("floor %d, want 1192", floor)
	}
	for i, want := range map[int]chat.Code{1: chat.CodeDedupeWindowPassed, 191: chat.CodeDedupeWindowPassed, 192: 0, 256: 0} {
		res, _ := chat.Apply(&s.State, at(2000, body(i)))
		if want != 0 && (res.Err == nil || res.Err.Code != want) || want == 0 && (res.Err != nil || res.Sent.Seq != uint64(i) || !res.Sent.Duplicate) {
			t.Errorf("retry of %d: %+v, want code %d", i, res, want)
		}
	}
	if len(s.dedupe) != 65 {
		t.Errorf("%d dedupe rows are kept, want the 65 at and above the floor", len(s.dedupe))
	}
}

// TestAWiderWindowDoesNotMoveTheFloorBack: the rows below the floor are gone,
// so that what lies there must stay refused.
func TestAWiderWindowDoesNotMoveTheFloorBack(t *testing.T) {
	s := newShelf()
	window := chat.DedupeWindow{Age: 10 * time.Millisecond, Messages: 10}
	for i := 1; i <= 192; i++ {
		if i == 100 {
			window = chat.DedupeWindow{Age: time.Hour, Messages: 100}
		}
		b := send("ann", byte(i))
		b.IssuedAt, b.Window = 1000+int64(i), window
		chat.Apply(&s.State, at(1000+int64(i), &b))
		if want := map[int]int64{64: 1054, 128: 1054, 192: 1054}[i]; want != 0 && s.heads[peers[0]].DedupeFloor != want {
			t.Errorf("at %d the floor is %d, want %d", i, s.heads[peers[0]].DedupeFloor, want)
		}
	}
}

func TestApplyPanicsOnWhatItCannotAgreeOn(t *testing.T) {
	for name, c := range map[string]chat.Command{
		"an unknown version": {Version: chat.Version + 1, Body: chat.Login{}},
		"version 0":          {Body: chat.Login{}},
		"no body":            {Version: chat.Version},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was applied", name)
				}
			}()
			chat.Apply(&newShelf().State, c)
		}()
	}
}
