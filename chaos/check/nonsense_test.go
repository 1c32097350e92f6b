package check

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
)

// run checks events that follow a config line, a second apart.
func run(t *testing.T, events ...history.Event) (*Verdict, error) {
	t.Helper()
	all := []history.Event{{Kind: history.KindConfig, Config: &history.Config{}}}
	for i, e := range events {
		e.At = int64(i+1) * int64(time.Second)
		all = append(all, e)
	}
	r, err := history.NewReader(historytest.Reader(all))
	if err != nil {
		t.Fatal(err)
	}
	return Run(r, Options{})
}

func TestAHistoryThatMakesNoSenseIsNoVerdict(t *testing.T) {
	send := history.Event{Kind: history.KindSend, Op: 1, App: 1, User: "a", Device: "d", Conversation: history.Peer("a", "b"), Cmid: "01"}
	other := send
	other.Op, other.User = 2, "b"
	log := history.Event{Kind: history.KindLog, App: 1, Conversation: send.Conversation, Node: "n1", Seq: 1, Cmid: "01", Sender: "a"}
	replica := log
	replica.Kind = history.KindReplica
	for name, events := range map[string][]history.Event{
		"an unknown kind":              {{Kind: "nothing"}},
		"a conversation without name":  {{Kind: history.KindSend, Op: 1, Cmid: "01"}},
		"an outcome without a call":    {{Kind: history.KindOK, Op: 1, Seq: 1}},
		"two outcomes of a call":       {send, {Kind: history.KindUnknown, Op: 1}, {Kind: history.KindOK, Op: 1, Seq: 1}},
		"two calls of a number":        {send, send},
		"an ok without seq":            {send, {Kind: history.KindOK, Op: 1}},
		"one cmid for two messages":    {send, other},
		"an effect without a fault":    {{Kind: history.KindEffect, Op: 1}},
		"a fault without a name":       {{Kind: history.KindFault, Op: 1}},
		"a fault that is healed twice": {{Kind: history.KindFault, Op: 1, Fault: "kill"}, {Kind: history.KindHealed, Op: 1}, {Kind: history.KindHealed, Op: 1}},
		"a log without a replica":      {send, log},
		"two replicas on a node":       {replica, replica},
		"a page of two conversations":  {{Kind: history.KindFetched, Op: 1, Conversation: "peer:a/b", Seq: 1}, {Kind: history.KindFetched, Op: 1, Conversation: "peer:a/c", Seq: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, events...)
			var where *history.Error
			if !errors.Is(err, ErrHistory) || !errors.As(err, &where) || where.Line != len(events)+1 {
				t.Fatalf("the error is %v", err)
			}
		})
	}
}

func TestWhatWasNotTriedIsNotCalledOK(t *testing.T) {
	v, err := run(t,
		history.Event{Kind: history.KindSend, Op: 1, App: 1, User: "a", Device: "d", Conversation: history.Peer("a", "b"), Cmid: "01"},
		history.Event{Kind: history.KindOK, Op: 1, Seq: 1},
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range v.Invariants {
		if i.State() != "not exercised" {
			t.Errorf("%s is %s", i.ID, i.State())
		}
	}
	if v.Acked != 1 || !v.OK() || len(v.Notes) != 1 {
		t.Errorf("the verdict is %+v", v)
	}
	var text bytes.Buffer
	if err := v.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"I2    not exercised", "1 messages: 1 acknowledged", "note: there is no final event"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
}

func TestWindowsAreBlamedOnTheirFault(t *testing.T) {
	at := func(n int) history.Event { // an attempt at its own
		return history.Event{Kind: history.KindSend, Op: uint64(n), App: 1, User: "a", Device: "d", Conversation: history.Peer("a", "b"), Cmid: string(rune('a' + n))}
	}
	v, err := run(t,
		at(1), history.Event{Kind: history.KindOK, Op: 1, Seq: 1, Shard: 3}, // 1 s to 2 s, before the fault
		history.Event{Kind: history.KindFault, Op: 9, Fault: "kill", Node: "n1"},
		history.Event{Kind: history.KindEffect, Op: 9},
		at(2), history.Event{Kind: history.KindFail, Op: 2, Code: 6000102}, // from 5 s
		at(3), history.Event{Kind: history.KindHealed, Op: 9},
		history.Event{Kind: history.KindOK, Op: 3, Seq: 2}, // to 9 s
	)
	if err != nil {
		t.Fatal(err)
	}
	second := int64(time.Second)
	want := []Window{
		{App: 1, Conversation: "peer:a/b", Shard: 3, From: second, To: 2 * second},
		{App: 1, Conversation: "peer:a/b", Shard: 3, From: 5 * second, To: 9 * second, Fault: 9},
	}
	if len(v.Windows) != 2 || v.Windows[0] != want[0] || v.Windows[1] != want[1] {
		t.Errorf("the windows are %+v", v.Windows)
	}
	if len(v.Recoveries) != 2 || v.Recoveries[1] != (Recovery{Fault: "kill", Windows: 1, P50: 4 * second, P99: 4 * second, Max: 4 * second}) {
		t.Errorf("the recoveries are %+v", v.Recoveries)
	}
	if v.Ineffective() != 0 {
		t.Errorf("%v", v.Examples)
	}
}

func TestADeviceMayLogInAgainAndBeCalledBackAtOnce(t *testing.T) {
	var events []history.Event
	device := history.Event{Kind: history.KindLogin, App: 1, User: "b", Device: "d"}
	message := func(seq uint64) {
		cmid := fmt.Sprintf("%032x", seq)
		events = append(events,
			history.Event{Kind: history.KindSend, Op: seq, App: 1, User: "a", Device: "d", Conversation: history.Peer("a", "b"), Cmid: cmid},
			history.Event{Kind: history.KindOK, Op: seq, Seq: seq})
	}
	got := func(seq uint64) {
		recv := device
		recv.Kind, recv.Conversation, recv.Seq, recv.Cmid, recv.Sender = history.KindRecv, history.Peer("a", "b"), seq, fmt.Sprintf("%032x", seq), "a"
		events = append(events, recv)
	}
	out := device
	out.Kind = history.KindLogout
	events = append(events, device)
	message(1)
	got(1)
	events = append(events, out)
	message(2) // to nobody
	message(3)
	got(3) // before the login is recorded
	events = append(events, device)
	message(4)
	got(4)
	v, err := run(t, events...)
	if err != nil || !v.OK() {
		t.Fatalf("%v, %v", err, v.Examples)
	}
	message(5)
	message(6)
	got(6)
	if v, err = run(t, events...); err != nil || v.Counts[Gap] != 1 || v.Violations() != 1 {
		t.Fatalf("%v, %v", err, v.Examples)
	}
}
